import { runCli } from './cli';

// The first Ctrl-C asks the run to save and stop; the second one ends the process at once.
const controller = new AbortController();
const stop = () => {
  controller.abort();
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: controller.signal,
});
