import { durationOption } from '@winnow/core';
import { z } from 'zod';
import { checkpointShape } from '../model-source/checkpoint-choices';
import { taskShape, workloadIn, workloadNamed } from '../workload/choice';
import { type WorkloadKind, headChoices } from '../workload/workload';
import { fineTuningShape } from './fine-tuning';
import type { GivenOptions, OptionGroup } from './group';
import { pathOption } from './path';
import { recipeShape } from './recipes';
import { dataShape, denseTrainingShape, executionShape, optimizationShape, outShape } from './training';
import { refuseForOther } from './with-from';

const shapeFor = ({ defaultData }: WorkloadKind) => ({
  from: pathOption('model')
    .min(1)
    .optional()
    .describe('Train on from a model that there is: run, model, checkpoint or hf:owner/name; else a new one'),
  ...taskShape,
  ...dataShape(defaultData, 'with --from a run: by default its data'),
  ...denseTrainingShape,
  ...recipeShape,
  ...optimizationShape,
  ...fineTuningShape,
  evaluateEvery: durationOption
    .default('5ep')
    .describe('Steps between scores on the validation split; 0it for none'),
  ...executionShape,
  ...outShape,
});
/** Those that every task has. */
export const trainOptions = (kind: WorkloadKind) => z.object(shapeFor(kind));
export type TrainOptions = z.output<ReturnType<typeof trainOptions>>;

/** Options of a training that starts from a model; the others have options that say what the new model is like. */
const givenShape = {
  head: z
    .enum(headChoices)
    .default('kept')
    .describe('Of the model of --from: its head goes on where it fits the data, or is drawn anew'),
  ...checkpointShape,
};
/** Those of a training that starts from a model. */
export const givenOptions = z.object(givenShape);

const groupsOf = (kind: WorkloadKind, title: string, own: z.ZodRawShape): OptionGroup[] => [
  { title, schema: z.object({ ...shapeFor(kind), ...kind.dataShape, ...own, ...kind.trainingShape }) },
];

/** @throws {UserError} when the options name no task that there is, or are about a new model where `from` names one, or the other way round. */
export function trainGroups(options: GivenOptions): readonly OptionGroup[] {
  const kind = workloadIn(options);
  const groups =
    options['from'] === undefined
      ? groupsOf(kind, 'Options of train', kind.modelShape)
      : groupsOf(kind, 'Options of train --from', { ...givenShape, ...kind.givenShape });
  refuseForOther(options, groups, everyTrainGroup({ task: kind.name }));
  return groups;
}

/** All of them, whether a training starts from a model or not: what a help text lists. */
export function everyTrainGroup({ task }: { readonly task?: string | undefined }): readonly OptionGroup[] {
  const kind = workloadNamed(task);
  return groupsOf(kind, 'Options of train', { ...givenShape, ...kind.givenShape, ...kind.modelShape });
}
