import { UserError } from '@winnow/core';
import { report, runCli } from './cli';
import { processTerminal } from './terminal/process-terminal';

const STOPPED = 130;

// The first Ctrl-C asks the run to save and stop; the second one ends the process at once.
const controller = new AbortController();
const stop = () => {
  controller.abort();
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
// A terminal that closes says so several times, its shell too: none of them is a second wish.
process.on('SIGHUP', stop);

// A run of a comparison: once nobody waits for it any more, somebody else may go on with it.
process.once('disconnect', () => process.exit(STOPPED));
process.channel?.unref();

const terminal = processTerminal(process, controller.signal, (error) => {
  process.exitCode = report(new UserError(`cannot write the result: ${error.message}`), terminal);
});
process.once('uncaughtException', (error) => process.exit(report(error, terminal)));

const code = await runCli(process.argv.slice(2), terminal);
if (code !== 0) process.exitCode = code;
