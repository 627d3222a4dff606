import {
  type CompressionMethod,
  type ReconstructionChoice,
  UserError,
  budgetUnits,
  durationOption,
  reconstructionKinds,
  suggestion,
} from '@winnow/core';
import { z } from 'zod';
import { imageSizeShape, mergingShape } from '../model-source/checkpoint-choices';
import { multipleOption } from './budget';
import { chosenIn } from './given';
import type { GivenOptions, OptionGroup } from './group';
import { pathOption } from './path';
import { retrainingShape } from './retraining';
import { proofShape } from './proof';
import { dataShape, denseTrainingShape, executionShape, optimizationShape, outShape } from './training';
import { refuseForOther } from './with-from';
import { methods } from '../table';
import { taskShape, workloadNamed } from '../workload/choice';
import type { WorkloadKind } from '../workload/workload';

const DEFAULT_METHOD = 'upop';
const DEFAULT_RECONSTRUCTION = 'bases';
const CALIBRATION = 256;
/** Observed pictures lie in memory. */
const MOST_CALIBRATION = 65_536;

/** The units of budgets that can be asked for: those that are counted, and measured milliseconds. */
export const askedUnits = [...budgetUnits, 'latency'] as const;

const shapeFor = ({ defaultData }: WorkloadKind) => ({
  from: pathOption('model')
    .min(1)
    .optional()
    .describe('The dense model: run, model, checkpoint or hf:owner/name; else one is trained first'),
  method: z
    .enum(methods.map(({ manifest }) => manifest.name))
    .default(DEFAULT_METHOD)
    .describe('How to find what can go; winnow methods says more'),
  budget: z
    .union([z.string(), z.number()])
    .default('2x')
    .describe('2x (smaller), 50% or 0.5 (the share kept)'),
  budgetUnit: z
    .enum(askedUnits)
    .default('compressible-parameters')
    .describe('What the budget counts; latency: milliseconds of one example on this machine'),
  multiple: multipleOption.optional(),
  retrain: durationOption.default('10ep').describe('Length of the training after the cut; 0ep for none'),
  reconstruct: z
    .union([z.boolean(), z.enum(reconstructionKinds)], {
      error: `expected one of ${reconstructionKinds.join(', ')}, or nothing for ${DEFAULT_RECONSTRUCTION}`,
    })
    .default(false)
    .describe(
      `Make up for what is cut before any retraining, without labels: ${reconstructionKinds.join(', ')}; alone ${DEFAULT_RECONSTRUCTION}`,
    ),
  calibration: z
    .int()
    .positive()
    .max(MOST_CALIBRATION)
    .optional()
    .describe(`Examples that --reconstruct looks at; default ${CALIBRATION}`),
  compute: durationOption
    .optional()
    .describe(
      'Search and retraining together, in training compute of the dense model: retraining takes what the search left, instead of --retrain',
    ),
  retrainLearningRate: z
    .number()
    .positive()
    .default(5e-4)
    .describe('Peak learning rate of the training after the cut'),
  distill: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of the loss after the cut that is learning from the dense model'),
  ...proofShape,
  ...taskShape,
  ...dataShape(defaultData, 'with --from a run: by default its data'),
  ...optimizationShape,
  ...executionShape,
  ...outShape,
});
/** Those that every task has. */
export const compressOptions = (kind: WorkloadKind) => z.object(shapeFor(kind));
export type CompressOptions = z.output<ReturnType<typeof compressOptions>>;

/**
 * The parts that are made up for after the cut, if any.
 * @throws {UserError} when examples are given for nothing.
 */
export function reconstructionOf({
  reconstruct,
  calibration,
}: Pick<CompressOptions, 'reconstruct' | 'calibration'>): ReconstructionChoice | undefined {
  if (reconstruct !== false) {
    const kind = reconstruct === true ? DEFAULT_RECONSTRUCTION : reconstruct;
    return { kind, examples: calibration ?? CALIBRATION };
  }
  if (calibration === undefined) return undefined;
  throw new UserError('--calibration has no use without --reconstruct: nothing else looks at its examples');
}

export const denseOptions = z.object(denseTrainingShape);
export type DenseOptions = z.output<typeof denseOptions>;

const choice = z.looseObject({
  method: z.string().default(DEFAULT_METHOD),
  task: z.string().optional(),
  from: z.unknown().optional(),
});

/**
 * The options of a compression: its own, those of the dense training unless a model is given, and the method's.
 * @throws {UserError} when there is no such method or task, with the nearest one that there is, or options are about a model that there
 * is and `from` names none.
 */
export function compressGroups(options: GivenOptions): readonly OptionGroup[] {
  const { method, task, from } = chosenIn(choice, options);
  const groups = groupsOf(workloadNamed(task), method, from === undefined ? 'new' : 'given');
  refuseForOther(options, groups, everyCompressGroup({ task, method }));
  return groups;
}

/** All of them, whether a model is given or not: what a help text lists. */
export const everyCompressGroup = ({
  task,
  method,
}: {
  readonly task?: string | undefined;
  readonly method?: string | undefined;
}): readonly OptionGroup[] => groupsOf(workloadNamed(task), method ?? DEFAULT_METHOD, 'either');

function groupsOf(kind: WorkloadKind, method: string, dense: 'new' | 'given' | 'either'): OptionGroup[] {
  const { manifest, options: schema } = methodNamed(method);
  const ofGiven = dense === 'new' ? {} : { ...kind.givenShape, ...imageSizeShape, ...mergingShape };
  return [
    {
      title: 'Options of compress',
      schema: z.object({
        ...shapeFor(kind),
        ...retrainingShape(kind),
        ...kind.dataShape,
        ...ofGiven,
        ...kind.trainingShape,
      }),
    },
    ...(dense === 'given' ? [] : [denseGroup(kind)]),
    {
      key: 'options',
      title: `Options of ${manifest.name}`,
      schema,
      prefix: { text: 'method-', when: 'taken' },
    },
  ];
}

const denseGroup = ({ modelShape }: WorkloadKind): OptionGroup => ({
  key: 'dense',
  title: 'Options of the dense training, without --from',
  schema: z.object({ ...modelShape, ...denseTrainingShape }),
  prefix: { text: 'dense-', when: 'always' },
});

/** @throws {UserError} when there is no such method, with the nearest one that there is. */
export function methodNamed(name: string): CompressionMethod {
  const found = methods.find(({ manifest }) => manifest.name === name);
  if (found !== undefined) return found;
  const names = methods.map(({ manifest }) => manifest.name);
  const near = suggestion(name, names);
  throw new UserError(
    `unknown method ${name}; ${near === undefined ? `known are ${names.join(', ')}` : `did you mean ${near}?`}`,
  );
}
