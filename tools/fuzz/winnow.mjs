import { Readable, Writable } from 'node:stream';
import { runCli } from '../../apps/winnow/dist/cli.js';

/** The length that is kept of the text that a command writes. */
const LONGEST_TEXT = 20_000;

function screen() {
  let text = '';
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text = (text + String(chunk)).slice(-LONGEST_TEXT);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY: false }), text: () => text };
}

/** A signal that asks to stop when it was looked at so often: once per training step. */
function signalAfter(looks) {
  const { signal } = new AbortController();
  let left = looks;
  Object.defineProperty(signal, 'aborted', { get: () => left-- <= 0 });
  return signal;
}

/** Runs a command in this process. @returns {Promise<{ code: number, stdout: string, stderr: string }>} */
export async function winnow(args, { stopAfter = Infinity } = {}) {
  const [stdout, stderr] = [screen(), screen()];
  const code = await runCli(args, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    stdin: Readable.from([]),
    signal: signalAfter(stopAfter),
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}
