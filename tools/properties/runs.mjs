import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const MOST_SEEDS = 100_000;

/**
 * The seeds that were asked for.
 * @throws {RangeError} when their number or the first of them makes no sense.
 */
export function seedsIn({ seeds, first }) {
  const count = wholeNumber('--seeds', seeds, 1);
  const start = wholeNumber('--first', first, 0);
  return Array.from({ length: count }, (_, index) => start + index);
}

function wholeNumber(flag, text, least) {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= MOST_SEEDS) return value;
  throw new RangeError(`${flag}: expected a whole number from ${least} to ${MOST_SEEDS}, got "${text}"`);
}

/** The test files of each package and of the app that draw cases with fast-check. */
export function propertyTests(root) {
  return ['packages', 'apps'].flatMap((kind) =>
    readdirSync(join(root, kind)).map((name) => {
      const folder = `${kind}/${name}`;
      return { folder, files: testsIn(join(root, folder)) };
    }),
  );
}

function testsIn(folder) {
  return ['src', 'test'].flatMap((part) => {
    let names;
    try {
      names = readdirSync(join(folder, part), { recursive: true });
    } catch (error) {
      if (error.code === 'ENOENT') return [];
      throw error;
    }
    return names
      .map((name) => join(part, name))
      .filter(
        (file) =>
          file.endsWith('.test.ts') && /\bfc\.assert\(/.test(readFileSync(join(folder, file), 'utf8')),
      )
      .sort();
  });
}

/** Reads jest's report in JSON: how many tests passed, and the failures with the first line that says why. */
export function outcomeOf(json, status) {
  let report;
  try {
    report = JSON.parse(json);
  } catch {
    return {
      passed: 0,
      failures: [{ name: 'jest', file: '', reason: `it ended with ${status} and no report` }],
    };
  }
  const failures = report.testResults.flatMap(
    ({ name: file, message, status: outcome, assertionResults }) => {
      const failed = assertionResults.filter((test) => test.status === 'failed');
      if (failed.length === 0 && outcome === 'failed')
        return [{ name: file, file, reason: firstLine(message) }];
      return failed.map(({ fullName, failureMessages }) => ({
        name: fullName,
        file,
        reason: failureMessages.map(firstLine).join('; '),
      }));
    },
  );
  return { passed: report.numPassedTests, failures };
}

const firstLine = (text) =>
  text
    .replace(/\u001b\[\d+m/g, '')
    .trim()
    .split('\n')
    .slice(0, 4)
    .join(' ');
