import {
  type BatchSource,
  type ImageBatch,
  type KeptEntries,
  type TensorTree,
  adamw,
  cosine,
  decaysOf,
  disposeTree,
  entriesOf,
  mapTree,
  prunableMatrices,
  stepsIn,
  train,
  trainingBatches,
  weightCount,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { type TinyModel, tinyModel, toyData, toyTask } from '@winnow/testkit';
import { memory, mul, tensor } from '@tensorflow/tfjs-core';
import { type Round, type RoundOptions, type TicketRun, prunedIteratively } from '../src/imp';
import { magnitudeTicketOptions } from '../src/options';
import { everything, removedCount } from '../src/pruning';
import { roundTargets } from '../src/schedule';

beforeAll(async () => {
  await startEngine('wasm');
});

const data = toyData({ size: 48 });
const batches = (): BatchSource<ImageBatch> =>
  trainingBatches(data.train, { batchSize: 8, seed: 5, augment: true });

/** A run without checkpoints. */
function runOf({ model, params }: TinyModel, phases: string[] = []): TicketRun {
  return {
    model,
    params,
    stepsIn: (duration) => stepsIn(duration, 6),
    train: (name, phase) => {
      phases.push(name);
      return train({ ...phase, task: toyTask(model), batches: batches() });
    },
  };
}

const optionsOf = (values: object): RoundOptions => magnitudeTicketOptions.parse({ round: '4it', ...values });

type Host = Map<string, Float32Array>;
const hostOf = (tree: TensorTree): Host =>
  new Map(entriesOf(tree).map(([path, leaf]) => [path, Float32Array.from(leaf.dataSync<'float32'>())]));

/** The bits, so that −0 is not 0. */
const bitsOf = (values: Float32Array | undefined): number[] => [
  ...new Uint32Array(Float32Array.from(values ?? []).buffer),
];

interface Rounds {
  readonly rounds: (Pick<Round, 'number' | 'before' | 'after'> & { readonly trained: Host })[];
  readonly kept: KeptEntries;
  readonly params: Host;
  readonly phases: string[];
  readonly targets: number[];
}

async function find(tiny: TinyModel, options: RoundOptions, share: number): Promise<Rounds> {
  const matrices = prunableMatrices(tiny.model);
  const total = weightCount(matrices);
  const targets = roundTargets('original-fraction', 0.2, total, Math.ceil(share * total));
  const rounds: Rounds['rounds'] = [];
  const phases: string[] = [];
  const found = await prunedIteratively(
    runOf(tiny, phases),
    options,
    { matrices, scope: 'global' },
    targets,
    (round) => {
      const { number, before, after, trained } = round;
      rounds.push({ number, before, after, trained: hostOf(trained) });
      return Promise.resolve();
    },
  );
  const params = hostOf(found.params);
  disposeTree(found.params);
  return { rounds, kept: found.kept, params, phases, targets };
}

describe('iterative magnitude pruning', () => {
  it('only ever shrinks its masks, by an exact number of weights, and trains them as zeros', async () => {
    const before = memory().numTensors;
    const tiny = tinyModel();
    const { rounds, kept, phases, targets } = await find(tiny, optionsOf({ rewind: '2it' }), 0.7);
    const whole = everything(prunableMatrices(tiny.model));
    expect(phases).toEqual(['rewind', 'round-1', 'round-2', 'round-3', 'round-4']);
    expect(rounds.map(({ after }) => removedCount(after))).toEqual(targets);
    expect(rounds.at(-1)?.after).toEqual(kept);
    rounds.forEach(({ before, after, trained }, index) => {
      expect(before).toEqual(index === 0 ? whole : rounds[index - 1]?.after);
      for (const [path, entries] of Object.entries(after)) {
        entries.forEach((entry, i) => {
          const was = before[path]?.[i] ?? Number.NaN;
          expect(entry).toBeLessThanOrEqual(was);
          if (was === 0) expect(bitsOf(trained.get(path)?.slice(i, i + 1))).toEqual([0]);
        });
      }
    });
    disposeTree(tiny.params);
    expect(memory().numTensors).toBe(before);
  });

  it.each(['0it', '3it'])('goes back to the weights after %s, bit for bit', async (rewind) => {
    const tiny = tinyModel();
    const options = optionsOf({ rewind });
    const { params } = await find(tiny, options, 0.4);
    const origin = await train({
      params: tiny.params,
      state: {},
      task: toyTask(tiny.model),
      objective: (tree) => ({ params: tree }),
      optimizer: adamw<TensorTree>({
        schedule: cosine(5e-4, 4, { warmupSteps: 0 }),
        weightDecay: 0.05,
        decays: decaysOf(tiny.model.specs),
      }),
      batches: batches(),
      steps: stepsIn(rewind as '0it', 6),
    });
    // Without clipping: the same steps from a plain optimiser.
    const { params: unclipped } = await find(tiny, optionsOf({ rewind, clipNorm: 0 }), 0.4);
    const expected = hostOf(origin.params);
    for (const [path, values] of unclipped) {
      if (path.startsWith('head.')) continue;
      expect(bitsOf(values)).toEqual(bitsOf(expected.get(path)));
    }
    expect([...params.keys()]).toEqual([...expected.keys()]);
    disposeTree([tiny.params, origin.params]);
  });

  it('keeps the head of the last round, or starts it again', async () => {
    const tiny = tinyModel();
    const start = hostOf(tiny.params);
    for (const head of ['kept', 'reset'] as const) {
      const { params, rounds } = await find(tiny, optionsOf({ head }), 0.4);
      const expected = head === 'kept' ? rounds.at(-1)?.trained : start;
      for (const path of ['head.weight', 'head.bias'])
        expect(bitsOf(params.get(path))).toEqual(bitsOf(expected?.get(path)));
      expect(bitsOf(params.get('norm.weight'))).toEqual(bitsOf(start.get('norm.weight')));
    }
    disposeTree(tiny.params);
  });

  it.each(['kept', 'reset'] as const)(
    'agrees weight for weight with a plain implementation, its head %s',
    async (head) => {
      const tiny = tinyModel(3);
      const { rounds, params } = await find(tiny, optionsOf({ head, clipNorm: 0 }), 0.8);
      const plain = await plainly(tiny, head, rounds.length);
      rounds.forEach(({ after, trained }, index) => {
        const expected = plain.rounds[index];
        for (const [path, entries] of Object.entries(after))
          expect([...entries]).toEqual(expected?.masks[path]);
        for (const [path, values] of trained)
          expect(bitsOf(values)).toEqual(bitsOf(expected?.trained.get(path)));
      });
      for (const [path, values] of params) expect(bitsOf(values)).toEqual(bitsOf(plain.start.get(path)));
      disposeTree(tiny.params);
    },
    60_000,
  );
});

/**
 * The same written down again, another way: after every step of an ordinary training what is pruned is set to zero, and
 * the ranking is one sort of all weights. A fifth of the original weights goes in every round.
 */
async function plainly({ model, params }: TinyModel, head: 'kept' | 'reset', rounds: number) {
  const names = [0, 1].flatMap((layer) =>
    ['query', 'key', 'value', 'output']
      .map((part) => `blocks.${layer}.attention.${part}.weight`)
      .concat(['expand', 'contract'].map((part) => `blocks.${layer}.ffn.${part}.weight`)),
  );
  const origin = hostOf(params);
  const masks = Object.fromEntries(
    names.map((name): [string, number[]] => [name, [...(origin.get(name) ?? [])].map(() => 1)]),
  );
  const total = Object.values(masks).reduce((sum, mask) => sum + mask.length, 0);
  const done: { masks: typeof masks; trained: Host }[] = [];
  let start = origin;
  for (let round = 1; round <= rounds; round++) {
    const zero = (tree: TensorTree): TensorTree =>
      mapTree(tree, (leaf, path) => {
        const mask = masks[path];
        return mask === undefined ? leaf : mul(leaf, tensor(mask, leaf.shape));
      });
    const from = mapTree(params, (leaf, path) => {
      const values = (start.get(path) ?? new Float32Array()).map((value, i) =>
        masks[path]?.[i] === 0 ? 0 : value,
      );
      return tensor(values, leaf.shape);
    });
    const { params: ended } = await train({
      params: from,
      state: {},
      task: toyTask(model),
      objective: (tree) => ({ params: tree }),
      afterStep: ({ params, state }) => ({ params: zero(params), state }),
      optimizer: adamw<TensorTree>({
        schedule: cosine(5e-4, 4, { warmupSteps: 0 }),
        weightDecay: 0.05,
        decays: decaysOf(model.specs),
      }),
      batches: batches(),
      steps: 4,
    });
    const trained = new Map([...hostOf(ended)].map(([path, values]) => [path, values.map((w) => w + 0)]));
    disposeTree([from, ended]);
    const all = names
      .flatMap((name) =>
        [...(trained.get(name) ?? [])].map((weight, place) => ({ name, place, size: Math.abs(weight) })),
      )
      .filter(({ name, place }) => masks[name]?.[place] === 1)
      .sort((a, b) => a.size - b.size);
    const due = Math.ceil(Math.min(0.2 * round, 0.8) * total - 1e-6) - (total - all.length);
    for (const { name, place } of all.slice(0, due)) (masks[name] ?? [])[place] = 0;
    done.push({ masks: structuredClone(masks), trained });
    start = new Map(
      [...origin].map(([path, values]) => [
        path,
        head === 'kept' && path.startsWith('head.') ? (trained.get(path) ?? values) : values,
      ]),
    );
  }
  return { rounds: done, start };
}
