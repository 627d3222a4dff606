import { type Adversary, type Duration, UserError, durationOption, embeddingPlaces } from '@winnow/core';
import { augmentationPresets } from '@winnow/data';
import { devicePattern, engineNames, precisionChoices } from '@winnow/engine';
import { z } from 'zod';
import { EXPECTED } from '../identity/run-identity';
import { pathOption } from './path';
import { readingAheadShape } from './reading-ahead';
import { kebab } from './group';

/** The option that says where TensorBoard can look on: nothing that a run depends on. */
export const SHOWN = 'tensorboard';

const duration = (value: Duration) => durationOption.default(value);
const positive = z.number().positive();

/** The choices for a training from fresh parameters. */
export const denseTrainingShape = {
  duration: duration('30ep').describe('Length of the training: 30ep (epochs) or 500it (iterations)'),
  learningRate: positive
    .default(1e-3)
    .describe('Peak learning rate; it falls along a cosine after the warm-up'),
};

/** The ways to training pictures, whatever they are. */
export const picturesShape = {
  augmentation: z
    .enum(['auto', ...augmentationPresets])
    .default('auto')
    .describe("How training pictures are varied; auto is the dataset's own way"),
  eraseProbability: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Probability of painting over a rectangle of a training picture; default: the augmentation's"),
  ...readingAheadShape,
};

/** Data that are the task's own unless others are named. */
export const dataShape = (defaultData: string, unlessNamed: string) => ({
  data: pathOption('dataset')
    .default(defaultData)
    .describe(`A dataset by name, or the path of one; ${unlessNamed}`),
  ...picturesShape,
});

/** Data for a model that there is: those of its run, unless others are named. */
export const dataOfModelShape = {
  data: pathOption('dataset').describe(
    'A dataset by name, or the path of one; by default that of the run of --from',
  ),
  ...picturesShape,
};

/** Training against a perturbation of what inputs are embedded in (slides, Table 5). Runs without one do not name it. */
export const adversaryShape = {
  adversarial: z
    .enum([...embeddingPlaces, 'both'])
    .optional()
    .describe('Train against a perturbation of embedded patches, words or both that climbs the loss'),
  adversarialSteps: z
    .int()
    .positive()
    .optional()
    .describe('How often it climbs in a training step; default: 3'),
  adversarialStepSize: positive
    .optional()
    .describe('How far it goes each time, in the norm of an example; default: 0.001'),
  adversarialDivergence: z
    .number()
    .nonnegative()
    .optional()
    .describe('Weight of the divergence from the prediction without it; default: 1.5'),
};

export type AdversaryChoice = OutputOf<typeof adversaryShape>;

/**
 * The adversary of a training, if it has one.
 * @throws {UserError} for options of an adversary that there is not.
 */
export function adversaryOf({
  adversarial,
  adversarialSteps,
  adversarialStepSize,
  adversarialDivergence,
}: AdversaryChoice): { readonly adversary?: Adversary } {
  const chosen = { adversarialSteps, adversarialStepSize, adversarialDivergence };
  if (adversarial === undefined) {
    const idle = Object.entries(chosen).find(([, value]) => value !== undefined);
    if (idle === undefined) return {};
    throw new UserError(`--${kebab(idle[0])} has no use without --adversarial: say what to perturb`);
  }
  const places = adversarial === 'both' ? embeddingPlaces : [adversarial];
  const { adversarialSteps: steps = 3, adversarialStepSize: stepSize = 1e-3 } = chosen;
  return { adversary: { places, steps, stepSize, divergence: adversarialDivergence ?? 1.5 } };
}

/** The options that every training phase of a run shares. */
export const optimizationShape = {
  batchSize: z.int().positive().default(64).describe('Pictures per step'),
  optimizer: z.enum(['adamw', 'sgd']).default('adamw').describe('sgd has a momentum of 0.9'),
  weightDecay: z
    .number()
    .nonnegative()
    .default(0.05)
    .describe('Of weights; biases, norms, class tokens and (but for CLIP) positions do not decay'),
  layerDecay: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('Each layer learns so many times as fast as the one above it; fine-tuning takes 0.65 to 0.75'),
  warmup: z.number().min(0).max(1).default(0.05).describe('Share of the steps with a rising learning rate'),
  clipNorm: z
    .number()
    .nonnegative()
    .default(1)
    .describe('Largest norm of all gradients together; 0 leaves them as they are'),
  ...adversaryShape,
};

/** The options that say what computes, and how. */
export const engineShape = {
  engine: z
    .enum(['auto', ...engineNames])
    .default('auto')
    .describe('What computes; auto takes the fastest that is here'),
  precision: z
    .enum(precisionChoices)
    .default('f32')
    .describe(
      'Of the operands of matrix products, everything else is f32; auto is bf16 where the hardware is faster with it',
    ),
  threads: z
    .int()
    .positive()
    .max(1024)
    .optional()
    .describe('CPU threads; default: one for each core, or what OMP_NUM_THREADS says to torch (wasm: one)'),
  device: z
    .string()
    .regex(devicePattern, 'expected cpu, cuda or cuda:1')
    .optional()
    .describe('cpu, cuda or cuda:1; default: cpu, and on tensorflow what it was built for'),
};

export const executionShape = {
  seed: z.int().nonnegative().default(0).describe('Same seed, same engine: same bytes'),
  [EXPECTED]: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Refuse to begin with other data or code than of this digest; winnow compare says it to its runs',
    ),
  checkpointEvery: duration('1ep').describe('Steps between checkpoints: what a kill can lose at most'),
  ...engineShape,
};

export const outShape = {
  out: pathOption('output')
    .min(1)
    .optional()
    .describe('The run folder; default runs/<what>-<hash of options, data and code>'),
  [SHOWN]: z
    .union([z.boolean(), pathOption('output').min(1)])
    .optional()
    .describe('Write TensorBoard event files as it goes; default folder: tensorboard, in that of the run')
    .meta({ path: 'output' }),
};

/**
 * Finds the share of training pictures in which a rectangle is painted over, where it is not for the augmentation to say.
 * @throws {UserError} where pictures are not varied at all.
 */
export function erasingOf({
  augmentation,
  eraseProbability,
}: Pick<DataChoice, 'augmentation' | 'eraseProbability'>): { readonly eraseProbability?: number } {
  if (eraseProbability === undefined) return {};
  if (augmentation === 'none')
    throw new UserError(
      '--erase-probability has no use with --augmentation none: training pictures are not varied',
    );
  return { eraseProbability };
}

export type EngineChoice = OutputOf<typeof engineShape>;
export type Optimization = OutputOf<typeof optimizationShape>;
export type DataChoice = Omit<OutputOf<typeof dataOfModelShape>, 'preload'> & {
  /** Whether all pictures are decoded first, beside the training, or only those that are used. */
  readonly preload: boolean | 'never';
};

type OutputOf<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;
