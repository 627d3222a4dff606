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

const FAULTS = ['uncaughtException', 'unhandledRejection'];
let stray;
const note = (error) => (stray ??= error);
for (const fault of FAULTS) process.on(fault, note);
// The wasm engine brings handlers of its own, which end the process: then nobody would learn of what.
process.on('newListener', (event, listener) => {
  if (FAULTS.includes(event) && listener !== note)
    process.nextTick(() => process.removeListener(event, listener));
});

const told = (error) => error?.stack ?? String(error);

/** One try; what goes wrong in the fuzzer itself is told as well, or the try would look like one that hangs. */
async function tried({ index, kind }) {
  const chosen = kinds.find(({ name }) => name === kind);
  try {
    return await attempt(chosen, { index, seed, fixtures, sandbox });
  } catch (error) {
    return { verdict: 'crash', text: `the fuzzer itself: ${told(error)}` };
  }
}

process.on('message', async (asked) => {
  stray = undefined;
  const result = await tried(asked);
  // Rejections that nobody handles are told of after the tasks that are ready.
  await new Promise((done) => setImmediate(done));
  const isStray = stray !== undefined && ['accepted', 'refused'].includes(result.verdict);
  process.send({
    index: asked.index,
    ...result,
    ...(isStray ? { verdict: 'crash', text: `not awaited: ${told(stray)}` } : {}),
  });
});
process.on('disconnect', () => process.exit());
process.send({ ready: true });
