import { type RunKind, type RunOptions, makeRun, runKinds } from '@winnow/lab';
import { progressOn } from '../terminal/progress';
import { remarked } from '../terminal/report/remarks';
import { runReport } from '../terminal/report/run-report';
import { ticketReport } from '../terminal/report/ticket-report';
import { print } from '../terminal/terminal';
import type { Command } from './command';

/** A command that makes a run of a kind, and shows its results. */
function runCommand<Options extends RunOptions, Summary>(
  kind: RunKind<Options, Summary>,
  summary: string,
  report: (summary: Summary, folder: string) => string,
): Command {
  const { command, takesModelFor } = kind;
  return {
    name: command,
    summary,
    startsRun: true,
    ...(takesModelFor === undefined ? {} : { takesModelFor }),
    groups: (chosen) => kind.groups(chosen),
    run: async ({ given, resume, terminal }) => {
      const watch = { progress: progressOn(terminal), signal: terminal.signal };
      const { summary, folder, remarks } = await makeRun(kind, { given, resume }, watch);
      print(terminal.stdout, remarked(report(summary, folder), remarks));
    },
  };
}

export const trainCommand = runCommand(
  runKinds.train,
  'Train a model for a task: classes of pictures, retrieval, captions, boxes and more (--task NAME --help lists its options)',
  runReport,
);

export const compressCommand = runCommand(
  runKinds.compress,
  'Make a trained model smaller: search, cut, retrain (--task NAME --method NAME --help lists their options)',
  runReport,
);

export const ticketFindCommand = runCommand(
  runKinds['ticket find'],
  'Find lottery tickets on a task by iterative magnitude pruning, one after every round',
  ticketReport,
);

export const ticketTrainCommand = runCommand(
  runKinds['ticket train'],
  'Train a lottery ticket, or a control at its sparsity, on any task of its towers',
  ticketReport,
);

export const ticketTransferCommand = runCommand(
  runKinds['ticket transfer'],
  'Train lottery tickets and controls on several tasks: the matrix, with verdicts',
  ticketReport,
);
