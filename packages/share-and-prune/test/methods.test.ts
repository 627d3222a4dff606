import type { Tensor } from '@tensorflow/tfjs-core';
import {
  type CompressionMethod,
  type DualEncoder,
  UserError,
  disposeTree,
  dualEncoder,
  entriesOf,
  initialize,
  sharesOf,
  visionTransformer,
  visionTransformerConfig,
} from '@winnow/core';
import type { CompressionRun, TensorTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { shareAndPruneMethods } from '../src/index';
import { epochsOf, structureDuration } from '../src/schedule';
import { small, twoTowers } from './towers';

beforeAll(async () => {
  await startEngine('wasm');
});

function methodNamed(name: string): CompressionMethod {
  const found = shareAndPruneMethods.find(({ manifest }) => manifest.name === name);
  if (found === undefined) throw new Error(`no method ${name}`);
  return found;
}

const budget = { unit: 'compressible-parameters', keep: 0.6 } as const;
const model = twoTowers(small);

/** The same towers, one of them changed. */
function with_(
  tower: 'vision' | 'text',
  change: Partial<DualEncoder['config']['text']['tower']>,
): DualEncoder {
  const { config } = model;
  return dualEncoder({
    ...config,
    [tower]: { ...config[tower], tower: { ...config[tower].tower, ...change } },
  });
}

describe('what cannot be shared is refused with the reason', () => {
  const plan = (name: string, options: object = {}) => methodNamed(name).configure(options);

  it.each(shareAndPruneMethods.map(({ manifest }) => manifest.name))('%s', (name) => {
    const alone = visionTransformer(
      visionTransformerConfig('nano', { imageSize: 32, patchSize: 8, classes: 9 }),
    );
    const attempt = () => plan(name).plan(alone, budget);
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(/a vision tower and a text tower, got vision/);
    const wider = () => plan(name).plan(with_('vision', { embedDim: 16 }), budget);
    expect(wider).toThrow(/same width, got 16 for vision and 8 for text/);
    const deeper = () =>
      plan(name).plan(with_('text', { blocks: model.config.text.tower.blocks.slice(1) }), budget);
    expect(deeper).toThrow(/same depth, got 3 vision layers and 2 text layers/);
    const { headDim, hiddenDim } = small;
    const pooled = () =>
      plan(name).plan(
        dualEncoder({
          ...model.config,
          vision: {
            ...model.config.vision,
            classToken: false,
            attentionPool: { headDim, hiddenDim },
            tower: { ...model.config.vision.tower, blocks: model.config.vision.tower.blocks.slice(1) },
          },
        }),
        budget,
      );
    expect(pooled).toThrow(/vision\.attentionPool\.attention has no counterpart in the other tower/);
    const macs = () => plan(name).plan(model, { unit: 'macs', keep: 0.9 });
    expect(macs).toThrow(/no multiply–accumulates/);
  });

  it('more blocks than layers', () => {
    expect(() => plan('bwsp', { blocks: 4 }).plan(model, budget)).toThrow(
      /as the text tower has layers, 3, got 4/,
    );
  });

  it('layers of a block that differ in size', () => {
    const [first, ...rest] = model.config.text.tower.blocks;
    const blocks = [{ headDim: 4, hiddenDim: (first?.hiddenDim ?? 0) - 1 }, ...rest];
    const { config } = model;
    const uneven = dualEncoder({
      ...config,
      vision: { ...config.vision, tower: { ...config.vision.tower, blocks } },
      text: { ...config.text, tower: { ...config.text.tower, blocks } },
    });
    expect(() => plan('lwsp').plan(uneven, budget)).toThrow(/start from models that were not cut/);
    expect(plan('sp').plan(uneven, budget).phases).toHaveLength(2);
  });

  it('budgets below what each setting can reach', () => {
    const least = ['sp', 'bwsp', 'lwsp'].map((name) => plan(name).plan(model, budget).smallestKeep);
    expect(least).toEqual([...least].sort((a, b) => b - a));
    expect(new Set(least).size).toBe(2); // three blocks of three layers share no more than sp
    for (const [index, name] of ['sp', 'bwsp', 'lwsp'].entries()) {
      const keep = (least[index] ?? 0) * 0.99;
      const attempt = () => plan(name).plan(model, { unit: 'compressible-parameters', keep });
      expect(attempt).toThrow(/cannot be reached: .* leave \d+\.\d\d % at least/);
    }
  });

  it('another budget than the one of full sharing, naming that one', () => {
    const attempt = () => plan('full-sharing').plan(model, budget);
    expect(attempt).toThrow(/neither more nor less: ask for --budget 0\.\d{4}/);
    let message = '';
    try {
      attempt();
    } catch (error) {
      message = String(error);
    }
    const keep = Number(/--budget (0\.\d+)/.exec(message)?.[1]);
    expect(plan('full-sharing').plan(model, { unit: 'compressible-parameters', keep }).phases).toEqual([]);
  });
});

describe('full sharing', () => {
  it('gives vision the columns of text, and stores them once', async () => {
    const params = initialize<TensorTree>(model.specs, 1);
    const run: CompressionRun = {
      model,
      params,
      task: {
        name: 'none',
        metric: 'none',
        ...{ predict: never, loss: never, divergence: never, distillation: never, scorer: never },
      },
      budget,
      seed: 1,
      stepsIn: never,
      train: never,
      note: never,
      observe: never,
      sensitivities: never,
      once: never,
    };
    const { decision, params: shared } = await methodNamed('full-sharing').configure({}).compress(run);
    const vision = [...sharesOf(decision)].filter(([id]) => id.startsWith('vision.'));
    expect(vision).toHaveLength(model.sites.filter(({ tower }) => tower === 'vision').length);
    for (const [, { columns }] of vision) {
      expect(Object.values(columns).join('')).toMatch(/^b+$/);
    }
    const stored = model.shrink(decision).account.parameters;
    const { embedDim: D, hiddenDim, layers } = small;
    expect(model.account.parameters - stored).toBe(layers * (3 * D * (D + 1) + hiddenDim * (2 * D + 1)));
    const leaves = new Map(entriesOf<Tensor>(shared));
    for (const name of ['attention.query.weight', 'ffn.expand.bias', 'ffn.contract.weight']) {
      const [own, lent] = ['vision', 'text'].map((tower) =>
        leaves.get(`${tower}.blocks.1.${name}`)?.dataSync(),
      );
      expect(own).toEqual(lent);
    }
    disposeTree([params, shared]);
  });
});

function never(): never {
  throw new Error('not part of it');
}

describe('the schedule', () => {
  const run = {
    stepsIn: (duration: string) =>
      Math.round(Number.parseFloat(duration) * (duration.endsWith('ep') ? 29 : 1)),
  };

  it('gives the structure its share of every epoch', () => {
    expect(structureDuration({ search: '10ep', subset: 0.1, passes: 1 })).toBe('1ep');
    expect(structureDuration({ search: '10ep', subset: 0.1, passes: 3 })).toBe('3ep');
    expect(structureDuration({ search: '200it', subset: 0.1, passes: 1 })).toBe('20it');
    const { epochs, subsetSteps } = epochsOf(run, { search: '10ep', subset: 0.1, passes: 2 });
    expect(subsetSteps).toBe(3);
    expect(epochs).toHaveLength(10);
    expect(epochs.at(-1)).toEqual({ weightSteps: 290, structureSteps: 58 });
    expect(epochs[0]).toEqual({ weightSteps: 29, structureSteps: 6 });
  });

  it('ends with the search where that is no whole number of epochs', () => {
    const { epochs } = epochsOf(run, { search: '40it', subset: 0.1, passes: 1 });
    expect(epochs).toEqual([
      { weightSteps: 29, structureSteps: 2 },
      { weightSteps: 40, structureSteps: 4 },
    ]);
  });

  it('refuses a structure that is not learned at all', () => {
    expect(() => epochsOf(run, { search: '4it', subset: 0.1, passes: 1 })).toThrow(/0it, not a single step/);
  });
});
