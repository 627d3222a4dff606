import { runCli } from './cli';

const STOPPED = 130;

// The first Ctrl-C asks the run to save and stop; the second one ends the process at once.
const controller = new AbortController();
const stop = () => {
  controller.abort();
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);

// A run of a comparison: once nobody waits for it any more, somebody else may go on with it.
process.once('disconnect', () => process.exit(STOPPED));
process.channel?.unref();

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: controller.signal,
});
