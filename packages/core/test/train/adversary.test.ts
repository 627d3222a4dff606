import {
  type Scalar,
  type Tensor2D,
  matMul,
  memory,
  reshape,
  tensor2d,
  tensor3d,
  tidy,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type Adversary,
  type Hooks,
  type Task,
  classification,
  constant,
  disposeTree,
  forwardPassesPerStep,
  logitDistillation,
  randomStream,
  retrieval,
  sgd,
  softmaxCrossEntropy,
  symmetricDivergence,
  train,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

/** One token of two numbers, three classes, two examples. */
const x = [
  [0.3, -1.2],
  [0.9, 0.4],
];
const targets = [
  [1, 0, 0],
  [0, 0.2, 0.8],
];
const start = [
  [0.5, -0.3, 0.1],
  [0.2, 0.8, -0.6],
];
type Weights = { weight: Tensor2D };

/** logits = (x + δ)·W; counts how often it predicts. */
function linearTask(seen = { given: 0 }): Task<Weights, null, { logits: Tensor2D }> {
  return {
    name: 'linear',
    metric: 'none',
    predict: ({ weight }, _batch, { perturb = (_, embedding) => embedding }: Hooks = {}) => {
      seen.given += 1;
      const embedded = perturb('words', tensor3d(x.map((row) => [row]))); // [2, 1, 2]
      return { logits: matMul(reshape(embedded, [2, 2]), weight) };
    },
    loss: ({ logits }): Scalar => softmaxCrossEntropy(logits, tensor2d(targets)),
    divergence: (one, other) => symmetricDivergence(one.logits, other.logits),
    distillation: (student, teacher) => logitDistillation(student, teacher),
    scorer: () => ({ add: () => undefined, scores: () => ({}) }),
  };
}

const batches = { batchSize: 2, stepsPerEpoch: 1, at: () => Promise.resolve(null) };

/** The weights after one step of plain descent: what they moved by is the gradient. */
async function gradientOf(adversary: Adversary | undefined, task = linearTask()): Promise<number[]> {
  const weight = tensor2d(start);
  const { params } = await train<Weights, Weights, Record<string, never>, null>({
    params: { weight },
    state: {},
    task,
    ...(adversary === undefined ? {} : { adversary }),
    objective: (tree) => ({ params: tree }),
    optimizer: sgd<Weights>({ schedule: constant(1) }),
    batches,
    steps: 1,
  });
  const after = [...params.weight.dataSync<'float32'>()];
  disposeTree([weight, params]);
  return start.flat().map((value, i) => value - (after[i] ?? Number.NaN));
}

/** The same in plain numbers: losses by their formulas, gradients by differences. */
function plainGradient({ steps, stepSize, divergence }: Adversary): number[] {
  const probabilities = (row: number[], weight: number[]): number[] => {
    const logits = [0, 1, 2].map(
      (k) => (row[0] ?? 0) * (weight[k] ?? 0) + (row[1] ?? 0) * (weight[3 + k] ?? 0),
    );
    const all = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return logits.map((logit) => Math.exp(logit) / all);
  };
  const clean = x.map((row) => probabilities(row, start.flat()));
  const lossOf = (weight: number[], delta: number[]): number =>
    x.reduce((total, row, example) => {
      const p = probabilities(
        row.map((value, i) => value + (delta[2 * example + i] ?? 0)),
        weight,
      );
      const q = clean[example] ?? [];
      const own = -p.reduce((sum, one, k) => sum + (targets[example]?.[k] ?? 0) * Math.log(one), 0);
      const away = p.reduce((sum, one, k) => {
        const other = q[k] ?? 0;
        return sum + one * Math.log(one / other) + other * Math.log(other / one);
      }, 0);
      return total + (own + divergence * away) / x.length / steps;
    }, 0);
  const slope = (of: (values: number[]) => number, values: number[]): number[] =>
    values.map((value, i) => {
      const moved = (by: number) => of(values.with(i, value + by));
      return (moved(1e-5) - moved(-1e-5)) / 2e-5;
    });
  let delta = [0, 0, 0, 0];
  let gradient = start.flat().map(() => 0);
  for (let step = 0; step < steps; step++) {
    const current = delta;
    const latest = slope((weight) => lossOf(weight, current), start.flat());
    gradient = gradient.map((total, i) => total + (latest[i] ?? 0));
    const uphill = slope((values) => lossOf(start.flat(), values), current);
    delta = current.map((value, i) => {
      const pair = [uphill[i - (i % 2)] ?? 0, uphill[i - (i % 2) + 1] ?? 0];
      return value + (stepSize * (uphill[i] ?? 0)) / Math.hypot(...pair);
    });
  }
  return gradient;
}

type Divergence = (one: Tensor2D, other: Tensor2D) => Scalar;

/** The divergence of a task that reads logits, whatever its batches are. */
const divergenceOf =
  ({ divergence }: Pick<Task<never, never, { logits: Tensor2D }>, 'divergence'>): Divergence =>
  (one, other) =>
    divergence({ logits: one }, { logits: other }, undefined as never);

const silent = { forward: () => ({}) };
const divergences: Readonly<Record<string, Divergence>> = {
  'over rows': divergenceOf(classification(silent, { inputs: () => ({}), classes: 4 })),
  'over rows and columns': divergenceOf(retrieval(silent, { imageSize: 1, channels: 1 })),
};

describeOnEveryEngine('training against an adversary', () => {
  it.each([
    { places: ['words'], steps: 3, stepSize: 0.5, divergence: 1.5 },
    { places: ['words'], steps: 1, stepSize: 0.5, divergence: 1.5 },
    { places: ['words', 'patches'], steps: 4, stepSize: 0.2, divergence: 0 },
  ] satisfies Adversary[])('adds up gradients as worked out in plain numbers: %j', async (adversary) => {
    const before = memory().numTensors;
    const actual = await gradientOf(adversary);
    plainGradient(adversary).forEach((expected, i) => expect(actual[i]).toBeCloseTo(expected, 4));
    expect(memory().numTensors).toBe(before);
  });

  it('is the ordinary step where the adversary does not move, and another where it does', async () => {
    const plain = await gradientOf(undefined);
    const still = await gradientOf({ places: ['words'], steps: 3, stepSize: 1e-9, divergence: 1.5 });
    const moving = await gradientOf({ places: ['words'], steps: 3, stepSize: 0.5, divergence: 1.5 });
    still.forEach((value, i) => expect(value).toBeCloseTo(plain[i] ?? Number.NaN, 5));
    expect(Math.max(...moving.map((value, i) => Math.abs(value - (plain[i] ?? 0))))).toBeGreaterThan(1e-2);
  });

  it('predicts once without and once for each step with a perturbation, as the ledger charges', async () => {
    const seen = { given: 0 };
    const adversary: Adversary = { places: ['words'], steps: 3, stepSize: 0.1, divergence: 1 };
    await gradientOf(adversary, linearTask(seen));
    expect(seen.given).toBe(4);
    expect(forwardPassesPerStep(adversary)).toBe(10);
    expect(forwardPassesPerStep(undefined)).toBe(3);
  });

  it('needs something that is embedded there', async () => {
    const before = memory().numTensors;
    const adversary: Adversary = { places: ['patches'], steps: 3, stepSize: 0.1, divergence: 1 };
    await expect(gradientOf(adversary)).rejects.toThrow(/no patches that could be perturbed/);
    expect(memory().numTensors - before).toBe(1); // the start, which the test did not dispose
  });

  it.each(Object.entries(divergences))(
    'measures a divergence %s that is symmetric, never negative, and 0 of itself',
    (_over, divergence) => {
      fc.assert(
        fc.property(fc.nat(), (seed) => {
          tidy(() => {
            const { normal } = randomStream(seed, 'logits');
            const logits = () => tensor2d(Array.from({ length: 12 }, normal), [3, 4]);
            const [a, b] = [logits(), logits()];
            const [there, back, none] = [divergence(a, b), divergence(b, a), divergence(a, a)].map(
              (value) => value.dataSync<'float32'>()[0] ?? Number.NaN,
            );
            expect(there).toBeGreaterThan(0);
            expect(back).toBeCloseTo(there ?? Number.NaN, 5);
            expect(none).toBeCloseTo(0, 6);
          });
        }),
        { numRuns: 20 },
      );
    },
  );
});
