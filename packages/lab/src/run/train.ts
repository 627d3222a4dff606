import { disposeTree } from '@winnow/core';
import { withChoicesOfModel } from '../model-source/choices';
import { everyTrainGroup, trainGroups, trainOptions, type TrainOptions } from '../options/train-options';
import { checkFineTuning } from '../options/fine-tuning';
import { withRecipe } from '../options/recipes';
import { adversaryOf } from '../options/training';
import { shortName } from '../run-folder/plan-run';
import { dividedOtherwiseThan } from '../run-folder/run-data';
import { type TrainSummary, readTrainSummary } from '../run-folder/summary';
import { batchesOf } from '../training/data';
import { checkFits, startOfTraining, trainAndSave } from '../training/train-run';
import { announceData } from '../workload/announce';
import { workloadIn } from '../workload/choice';
import type { RunKind } from './run-kind';

/** Trains a new model, or one that there is, on a task. */
export const trainRun: RunKind<TrainOptions, TrainSummary> = {
  command: 'train',
  takesModelFor: 'any',
  groups: everyTrainGroup,
  groupsFor: trainGroups,
  complete: async (given, resume) =>
    resume ? given : withRecipe(await withChoicesOfModel('train', given, 'any')),
  nameOf: ({ data, model, from }) => `train-${shortName(String(data))}-${shortName(String(from ?? model))}`,
  optionsOf: (values) => {
    const options = trainOptions(workloadIn(values)).parse(values);
    adversaryOf(options); // refuses what does not fit together
    checkFineTuning(options);
    return options;
  },
  readSummary: readTrainSummary,
  isEnough: () => true,
  prepare: async ({ plan, options, note, startEngine }) => {
    const { from } = options;
    for (const line of from === undefined ? [] : await dividedOtherwiseThan(from, plan.options)) note(line);
    const engine = await startEngine();
    const start = await startOfTraining(workloadIn(plan.options), options, plan.options, note);
    const { workload, params, source } = start;
    checkFits(options, start);
    await announceData(workload, note);
    return {
      engine,
      ...source,
      skipped: workload.skipped,
      stepsPerEpoch: batchesOf(workload, options).stepsPerEpoch,
      work: (runner, run, startMs) =>
        trainAndSave({ runner, run, options, training: plan.options, ...start, startMs }),
      dispose: () => {
        disposeTree(params);
      },
    };
  },
};
