import {
  type Budget,
  type CompressionRun,
  disposeTree,
  entriesOfMask,
  keptCount,
  maskSize,
  prunableMatrices,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { type TinyModel, tinyDualEncoder, tinyModel } from '@winnow/testkit';
import { lotteryTicketMethods } from '../src/index';

beforeAll(async () => {
  await startEngine('wasm');
});

/** A run of methods that train nothing; what they say is kept. */
async function found(name: string, options: object, budget: Budget, { model, params }: TinyModel) {
  const notes: string[] = [];
  const never = (): never => {
    throw new Error('nothing is trained here');
  };
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
    stepsIn: () => 0,
    train: never,
    observe: never,
    sensitivities: never,
    once: never,
    note: (text) => notes.push(text),
  };
  const method = lotteryTicketMethods.find(({ manifest }) => manifest.name === name);
  const { params: start, decision } = (await method?.configure(options).compress(run)) ?? never();
  disposeTree(start);
  return { masks: decision.masks ?? {}, notes };
}

const half: Budget = { unit: 'compressible-parameters', keep: 0.5 };

describe.each(['one-shot-magnitude', 'random-ticket'])('%s', (name) => {
  it.each([
    ['global', tinyModel],
    ['per-matrix', tinyDualEncoder],
  ] as const)('follows a pattern of 2:4 along the inputs, ranked %s', async (scope, make) => {
    const tiny = make();
    const { masks, notes } = await found(name, { pattern: '2:4', scope }, half, tiny);
    for (const [path, mask] of Object.entries(masks)) {
      const [inputs = 0, outputs = 0] = mask.shape;
      const kept = entriesOfMask(mask);
      for (let output = 0; output < outputs; output++) {
        for (let start = 0; start < inputs; start += 4) {
          const there = [0, 1, 2, 3].reduce((sum, i) => sum + (kept[(start + i) * outputs + output] ?? 0), 0);
          expect([path, there]).toEqual([path, 2]);
        }
      }
    }
    expect(notes).toEqual([]);
    disposeTree(tiny.params);
  });

  it('leaves projections whole when asked to, and takes more of the rest', async () => {
    const tiny = tinyDualEncoder();
    const { masks } = await found(name, { projections: false }, half, tiny);
    expect(Object.keys(masks)).not.toContain('visionProjection');
    const gone = Object.values(masks).reduce((sum, mask) => sum + maskSize(mask) - keptCount(mask), 0);
    const all = prunableMatrices(tiny.model).reduce(
      (sum, { shape: [rows, columns] }) => sum + rows * columns,
      0,
    );
    expect(gone).toBe(all / 2);
    disposeTree(tiny.params);
  });
});

it('says where a matrix has lost everything', async () => {
  const tiny = tinyModel();
  const few: Budget = { unit: 'compressible-parameters', keep: 1e-3 };
  const { masks, notes } = await found('one-shot-magnitude', {}, few, tiny);
  const lost = Object.entries(masks).filter(([, mask]) => keptCount(mask) === 0);
  expect(lost.length).toBeGreaterThan(0);
  expect(notes).toHaveLength(lost.length);
  expect(notes[0]).toMatch(/^blocks\.\d\.\w+\.\w+\.weight has lost all its weights/);
  disposeTree(tiny.params);
});
