import { readFileSync } from 'node:fs';
import { type Tensor, tensor2d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { z } from 'zod';
import {
  type Model,
  type Optimizer,
  type ParameterSpec,
  type TensorTree,
  adamw,
  constant,
  dualEncoder,
  entriesOf,
  layerwiseDecay,
  sgd,
  tidyTree,
  visionTransformer,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const tower = {
  embedDim: 4,
  heads: 2,
  denseHeadDim: 2,
  causal: false,
  normEpsilon: 1e-6,
  activation: 'gelu',
  layerScale: 1e-5,
  blocks: [
    { headDim: 2, hiddenDim: 3 },
    { headDim: 2, hiddenDim: 3 },
  ],
} as const;
const vision = { imageSize: 4, patchSize: 2, channels: 3, embeddingNorm: true, patchBias: true, tower };
const deit = visionTransformer({
  kind: 'vision-transformer',
  ...vision,
  classes: 2,
  distillation: 'head',
  registers: 2,
});
const text = {
  vocabulary: 5,
  context: 3,
  endToken: 4,
  tower: { ...tower, causal: true, blocks: tower.blocks.slice(0, 1) },
};
const clip = dualEncoder({
  kind: 'dual-encoder',
  projectionDim: 2,
  vision: { ...vision, distillation: 'none' },
  text,
});

/** The scales at a decay of a half, with the parameters that have them: all blocks' under the block's path. */
function layersOf({ specs }: Pick<Model, 'specs'>): Record<string, string[]> {
  const scaleOf = layerwiseDecay(specs, 0.5);
  const found: Record<string, Set<string>> = {};
  for (const [path] of entriesOf<ParameterSpec>(specs)) {
    const part = path.replace(/(blocks\.\d+)\..*/, '$1').replace(/\.(weight|bias)$/, '');
    (found[scaleOf(path)] ??= new Set()).add(part);
  }
  return Object.fromEntries(Object.entries(found).map(([scale, parts]) => [scale, [...parts]]));
}

const embedding = [
  'patchEmbedding',
  'classToken',
  'distillationToken',
  'registers',
  'positions',
  'embeddingNorm',
];

describe('learning-rate decay by layer', () => {
  it("gives a vision transformer the layers of BEiT's and MAE's code", () => {
    expect(layersOf(deit)).toEqual({
      0.125: embedding,
      0.25: ['blocks.0'],
      0.5: ['blocks.1'],
      1: ['norm', 'head', 'distillationHead'],
    });
  });

  it('counts each tower of a dual encoder by itself', () => {
    expect(layersOf(clip)).toEqual({
      0.125: embedding.filter((part) => !/distillation|registers/.test(part)).map((part) => `vision.${part}`),
      0.25: ['vision.blocks.0', 'text.tokenEmbedding', 'text.positions'],
      0.5: ['vision.blocks.1', 'text.blocks.0'],
      1: ['vision.norm', 'text.norm', 'visionProjection', 'textProjection', 'logitScale'],
    });
  });

  it('leaves every parameter in its layer when units are cut, whatever is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), (kept) => {
        const site = deit.sites.find(({ id }) => id === 'blocks.0.ffn');
        if (site === undefined) throw new Error('expected a site');
        fc.pre(kept.includes(true));
        const units = kept.flatMap((keeps, unit) => (keeps ? [unit] : []));
        const cut = deit.shrink({
          version: 1,
          sites: { [site.id]: { kind: 'keep', units: site.units, kept: units } },
        });
        expect(layersOf(cut)).toEqual(layersOf(deit));
      }),
    );
  });

  it('finds the model under a prefix; what stands beside it moves at the whole rate', () => {
    const scaleOf = layerwiseDecay(deit.specs, 0.5, 'weights.');
    expect(scaleOf('weights.positions')).toBe(0.125);
    expect(scaleOf('masks.blocks.0.ffn')).toBe(1);
    expect(scaleOf('positions')).toBe(1);
  });
});

type Leaves = Record<string, Tensor>;
type Make = (options: {
  readonly learningRate: number;
  readonly scaleOf?: (path: string) => number;
}) => Optimizer<Leaves>;
const optimizers: Record<string, Make> = {
  adamw: ({ learningRate, scaleOf }) =>
    adamw<Leaves>({
      schedule: constant(learningRate),
      weightDecay: 0.1,
      ...(scaleOf === undefined ? {} : { learningRateScale: scaleOf }),
    }),
  sgd: ({ learningRate, scaleOf }) =>
    sgd<Leaves>({
      schedule: constant(learningRate),
      weightDecay: 0.1,
      momentum: 0.9,
      ...(scaleOf === undefined ? {} : { learningRateScale: scaleOf }),
    }),
};

/** Values by path after each step. */
function steps(
  optimizer: Optimizer<Leaves>,
  start: Record<string, number[]>,
  gradients: readonly Record<string, number[]>[],
): Record<string, number[]>[] {
  const upload = (values: Record<string, number[]>): Leaves =>
    Object.fromEntries(
      Object.entries(values).map(([path, row]) => [path, tensor2d(row, [2, row.length / 2])]),
    );
  const told: Record<string, number[]>[] = [];
  tidyTree((): TensorTree => {
    let params = upload(start);
    let state: TensorTree = optimizer.init(params);
    gradients.forEach((gradient, step) => {
      ({ params, state } = optimizer.update({
        params,
        gradients: upload(gradient),
        state,
        step,
        donated: true,
      }));
      told.push(
        Object.fromEntries(Object.entries(params).map(([path, leaf]) => [path, [...leaf.dataSync()]])),
      );
    });
    return {};
  });
  return told;
}

const rows = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 6, maxLength: 6 });
const tree = fc.record({ a: rows, b: rows, c: rows, d: rows });
const scale = fc.constantFrom(1, 0.75, 0.75 ** 2, 0.1);
const scales = fc.record({ a: scale, b: scale, c: scale, d: scale });

const trajectory = z.object({
  start: z.record(z.string(), z.array(z.number())),
  gradients: z.array(z.record(z.string(), z.array(z.number()))),
  steps: z.array(z.record(z.string(), z.array(z.number()))),
});
const reference = z
  .object({
    learningRate: z.number(),
    scales: z.record(z.string(), z.number()),
    adamw: trajectory,
    sgd: trajectory,
  })
  .parse(JSON.parse(readFileSync(new URL('parameter-groups.json', import.meta.url), 'utf8')));

describeOnEveryEngine('a learning rate of its own', () => {
  const makeOf = (name: string): Make => {
    const make = optimizers[name];
    if (make === undefined) throw new RangeError(name);
    return make;
  };

  it.each(Object.keys(optimizers))(
    'moves a parameter as that rate would move all, to the byte (%s)',
    (name) => {
      const make = makeOf(name);
      fc.assert(
        fc.property(
          tree,
          fc.array(tree, { minLength: 1, maxLength: 3 }),
          scales,
          (start, gradients, factors) => {
            const learningRate = 0.01;
            const scaleOf = (path: string) => new Map(Object.entries(factors)).get(path) ?? 1;
            const together = steps(make({ learningRate, scaleOf }), start, gradients);
            for (const path of Object.keys(start)) {
              const alone = steps(make({ learningRate: learningRate * scaleOf(path) }), start, gradients);
              expect(together.map((step) => step[path])).toEqual(alone.map((step) => step[path]));
            }
          },
        ),
        { numRuns: 25 },
      );
    },
  );

  it.each(Object.keys(optimizers))('of no decay is the one rate for all, to the byte (%s)', (name) => {
    const make = makeOf(name);
    fc.assert(
      fc.property(tree, tree, (start, gradient) => {
        const scaleOf = layerwiseDecay(deit.specs, 1);
        expect(steps(make({ learningRate: 0.01, scaleOf }), start, [gradient])).toEqual(
          steps(make({ learningRate: 0.01 }), start, [gradient]),
        );
      }),
      { numRuns: 10 },
    );
  });

  it.each(['adamw', 'sgd'] as const)("follows PyTorch's parameter groups (%s)", (name) => {
    const { start, gradients, steps: expected } = reference[name];
    const scaleOf = (path: string) => reference.scales[path] ?? Number.NaN;
    const found = steps(makeOf(name)({ learningRate: reference.learningRate, scaleOf }), start, gradients);
    expect(found).toHaveLength(4);
    found.forEach((step, index) => {
      for (const [path, values] of Object.entries(step)) {
        const deviation = values.map((value, i) =>
          Math.abs(value - (expected[index]?.[path]?.[i] ?? Number.NaN)),
        );
        expect(Math.max(...deviation)).toBeLessThan(1e-6);
      }
    });
  });
});
