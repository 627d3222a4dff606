import fc from 'fast-check';

/** The same cases in every run, so that a change is what turns a build red; WINNOW_TEST_SEED draws others. */
const seed = Number(process.env['WINNOW_TEST_SEED'] ?? 1);
if (!Number.isInteger(seed)) {
  throw new Error(`WINNOW_TEST_SEED must be an integer, came "${process.env['WINNOW_TEST_SEED']}"`);
}
fc.configureGlobal({ seed });
