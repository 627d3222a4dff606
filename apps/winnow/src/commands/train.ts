import { disposeTree } from '@winnow/core';
import {
  adversaryOf,
  announceData,
  batchesOf,
  beginRun,
  engineChoice,
  everyTrainGroup,
  finishedSummary,
  inSession,
  planRun,
  shortName,
  startChosen,
  startOfTraining,
  trainAndSave,
  trainGroups,
  trainOptions,
  version,
  withChoicesOfModel,
  workloadIn,
} from '@winnow/lab';
import { runReport } from '../terminal/report/run-report';
import { remarked } from '../terminal/report/remarks';
import { progressOn } from '../terminal/progress';
import { noteOn, print } from '../terminal/terminal';
import type { Command, Invocation } from './command';

export const trainCommand: Command = {
  name: 'train',
  summary: 'Train a DeiT on labelled pictures, or with a text tower on pictures and texts',
  startsRun: true,
  takesModelFor: 'any',
  groups: everyTrainGroup,
  run: async ({ given: asked, resume, terminal }: Invocation) => {
    const given = resume ? asked : await withChoicesOfModel('train', asked, 'any');
    const plan = await planRun({
      command: 'train',
      groupsFor: trainGroups,
      given,
      resume,
      nameOf: ({ data, model, from }) =>
        `train-${shortName(String(data))}-${shortName(String(from ?? model))}`,
    });
    const finished = await finishedSummary(plan.folder, (text) => {
      print(terminal.stderr, text);
    });
    if (finished !== undefined) {
      print(terminal.stdout, remarked(runReport(finished, plan.folder), plan.remarks));
      return;
    }
    for (const remark of plan.remarks) print(terminal.stderr, remark);
    const startMs = performance.now();
    const kind = workloadIn(plan.options);
    const options = trainOptions(kind).parse(plan.options);
    adversaryOf(options); // refuses what does not fit together
    const engine = await startChosen(engineChoice(plan.record, options), noteOn(terminal));
    const start = await startOfTraining(kind, options, plan.options, noteOn(terminal));
    try {
      announceData(start.workload, noteOn(terminal));
      const { stepsPerEpoch } = batchesOf(start.workload, options);
      const run = await beginRun(plan, { engine, version: version(), ...start.source });
      const { checkpointEvery } = options;
      const session = {
        signal: terminal.signal,
        progress: progressOn(terminal),
        checkpointEvery,
        stepsPerEpoch,
      };
      const summary = await inSession(run, session, (runner) =>
        trainAndSave({ runner, run, options, training: plan.options, ...start, startMs }),
      );
      print(terminal.stdout, runReport(summary, plan.folder));
    } finally {
      disposeTree(start.params);
    }
  },
};
