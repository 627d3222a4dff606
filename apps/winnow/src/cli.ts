import { fileURLToPath } from 'node:url';
import { version } from '@winnow/lab';
import { z } from 'zod';
import { parseArguments } from './arguments/parse';
import { commandLine } from './arguments/command-line';
import type { Command } from './commands/command';
import { compareCommand } from './commands/compare';
import { datasetsCommand } from './commands/datasets';
import { demoCommand } from './commands/demo';
import { evaluateCommand } from './commands/evaluate';
import { exportCommand } from './commands/export';
import { importCommand } from './commands/import';
import { inspectCommand } from './commands/inspect';
import { methodsCommand } from './commands/methods';
import { ticketOverlapCommand } from './commands/ticket-overlap';
import { planCommand } from './commands/plan';
import { predictCommand } from './commands/predict';
import { proveCommand } from './commands/prove';
import { reportCommand } from './commands/report';
import {
  compressCommand,
  ticketFindCommand,
  ticketTrainCommand,
  ticketTransferCommand,
  trainCommand,
} from './commands/runs';
import { workerCommand } from './commands/worker';
import { type Terminal, print, watchOn } from './terminal/terminal';

/** This module lies one folder below the root of its package, as a source and when built. */
const atRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const installation = { presetFolder: atRoot('presets'), program: atRoot('dist/main.js') };

export const commands: readonly Command[] = [
  trainCommand,
  compressCommand,
  ticketFindCommand,
  ticketTrainCommand,
  ticketTransferCommand,
  ticketOverlapCommand,
  compareCommand(installation),
  workerCommand(installation),
  reportCommand,
  evaluateCommand,
  predictCommand,
  inspectCommand,
  planCommand,
  importCommand,
  exportCommand,
  proveCommand,
  demoCommand,
  methodsCommand,
  datasetsCommand,
];

const FAULT = 1;

/** Runs one command; the exit code of the process. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const request = await parseArguments(args, commands, {
      version: version(),
      columns: terminal.stdout.columns,
      ...watchOn(terminal),
    });
    if (request.kind === 'text') {
      print(terminal.stdout, request.text);
    } else {
      await request.command.run({ ...request.invocation, commandLine: commandLine(args), terminal });
    }
    return 0;
  } catch (error) {
    return report(error, terminal);
  }
}

const expected = z.object({ exitCode: z.int(), message: z.string() });

/**
 * Says what went wrong: a line for what the user can mend, a stack for what they cannot.
 * @returns the exit code of the process.
 */
export function report(error: unknown, { stderr }: Terminal): number {
  const { success, data } = expected.safeParse(error);
  if (success) {
    print(stderr, `winnow: ${data.message}`);
    return data.exitCode;
  }
  print(stderr, error instanceof Error ? (error.stack ?? error.message) : String(error));
  return FAULT;
}
