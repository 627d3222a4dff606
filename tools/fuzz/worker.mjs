/**
 * A process that does tries, one after the other, as its parent asks by message: { index, kind }. It answers each with
 * { index, verdict, … }; whatever makes it silent or ends it, the parent sees.
 */
import { mkdirSync } from 'node:fs';
import { kinds } from './kinds.mjs';
import { attempt } from './attempt.mjs';
import { makeSandbox } from './sandbox.mjs';

const [fixtures, root, seed] = process.argv.slice(2);
mkdirSync(root, { recursive: true });
const sandbox = makeSandbox(root);

let stray;
const note = (error) => (stray ??= error);
process.on('uncaughtException', note);
process.on('unhandledRejection', note);

process.on('message', async ({ index, kind }) => {
  stray = undefined;
  const chosen = kinds.find(({ name }) => name === kind);
  const result = await attempt(chosen, { index, seed, fixtures, sandbox });
  // Rejections that nobody handles are told of after the tasks that are ready.
  await new Promise((done) => setImmediate(done));
  const isStray = stray !== undefined && result.verdict === 'refused';
  process.send({
    index,
    ...result,
    ...(isStray ? { verdict: 'crash', text: `not awaited: ${stray.stack ?? stray}` } : {}),
  });
});
process.on('disconnect', () => process.exit());
process.send({ ready: true });
