import { tensor1d } from '@tensorflow/tfjs-core';
import {
  type Site,
  type TensorTree,
  cloneTree,
  disposeTree,
  effective,
  keptUnits,
  randomStream,
  removalTarget,
  selectUnits,
  tidyTree,
} from '@winnow/core';
import { type Subject, compressTiny, tinyModel, visionTransformers } from '@winnow/testkit';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { z } from 'zod';
import { keepingOrder } from '../src/gram-schmidt';
import { oneShotMethods } from '../src/index';
import { lampScores } from '../src/lamp';
import { varied } from './varied';
import { importanceOnCurve } from '../src/obs';
import { prioritiesOf } from '../src/ranking';

beforeAll(() => startEngine('wasm'));

const vectors = (minimum: number) =>
  fc
    .tuple(fc.integer({ min: minimum, max: 12 }), fc.integer({ min: 1, max: 6 }), fc.nat(10_000))
    .map(([units, width, seed]) => {
      const random = randomStream(seed, 'vectors');
      return Array.from({ length: units }, () => Array.from({ length: width }, () => random.normal()));
    });
const productsOf = (rows: readonly (readonly number[])[]): number[] =>
  rows.flatMap((a) => rows.map((b) => a.reduce((total, value, at) => total + value * (b[at] ?? NaN), 0)));

it('lamp: a share of what is as large or larger; the largest has 1', () => {
  expect([...lampScores([1, 4, 3])]).toEqual([1 / 8, 1, 3 / 7]);
  expect([...lampScores([0, 0])]).toEqual([0, 0]);
});

it('gram-schmidt: the longest is kept first, and every unit once', () => {
  fc.assert(
    fc.property(vectors(1), (rows) => {
      const order = keepingOrder(productsOf(rows), rows.length);
      expect(order.toSorted((a, b) => a - b)).toEqual(rows.map((_, unit) => unit));
      const lengths = rows.map((row) => Math.hypot(...row));
      expect(lengths[order[0] ?? NaN]).toBe(Math.max(...lengths));
    }),
  );
});

it('gram-schmidt: a copy of a unit is kept after everything that is not explained', () => {
  fc.assert(
    fc.property(vectors(2), fc.nat(), (rows, pick) => {
      const width = rows[0]?.length ?? 0;
      // As many as there are dimensions at most, each about an axis of its own.
      const apart = rows
        .slice(0, width)
        .map((row, unit) => row.map((value, at) => (at === unit ? 2 + unit : 0) + 0.1 * Math.tanh(value)));
      const copied = [...apart, apart[pick % apart.length] ?? []];
      const order = keepingOrder(productsOf(copied), copied.length);
      expect([pick % apart.length, apart.length]).toContain(order.at(-1));
    }),
  );
});

it('gram-schmidt: each next unit is the one with the largest residual', () => {
  // Residuals by hand: [3, 0] first; then of [1, 2] is left 2, of [2.5, 1] is left 1.
  expect(
    keepingOrder(
      productsOf([
        [1, 2],
        [3, 0],
        [2.5, 1],
      ]),
      3,
    ),
  ).toEqual([1, 0, 2]);
});

const budget = { unit: 'compressible-parameters', keep: 0.5 } as const;
const subjectOf = (name: string, options: Record<string, unknown>): Subject => {
  const method = oneShotMethods.find(({ manifest }) => manifest.name === name);
  if (method === undefined) throw new Error(`no ranker ${name}`);
  return { method, options, isRandom: false, kind: visionTransformers, units: [budget.unit] };
};

type Change = (params: TensorTree, sites: readonly Site[]) => TensorTree;

/** The units of every site that a ranker keeps of the tiny model, whose parameters may be changed before. */
async function keptBy(
  name: string,
  options: Record<string, unknown>,
  change: Change = (params) => params,
  batchSize?: number,
) {
  const makeModel = () => {
    const { model, params } = tinyModel();
    const changed = tidyTree(() => cloneTree(change(params, model.sites)));
    disposeTree(params);
    return { model, params: changed };
  };
  const { decision } = await compressTiny(subjectOf(name, options), {
    budget,
    makeModel,
    ...(batchSize === undefined ? {} : { batchSize }),
  });
  const { model, params } = tinyModel();
  disposeTree(params);
  return new Map(model.sites.map((site) => [site.id, keptUnits(decision, site)]));
}

/** Odd units of every site are made a thousandth of what they were. */
const weakenOdd: Change = (params, sites) => {
  const masks = Object.fromEntries(
    sites.map(({ id, units }) => [
      id,
      tensor1d(Array.from({ length: units }, (_, unit) => (unit % 2 ? 1e-3 : 1))),
    ]),
  );
  return effective(effective(params, sites, masks), sites, masks, 'consumer');
};

it.each(
  [
    'taylor',
    'fisher',
    'mask-fisher',
    'wanda-unit',
    'flap',
    'active-energy',
    'variance',
    'obs',
    'lamp',
  ].flatMap((name) => (['per-site', 'isomorphic'] as const).map((scope) => ({ name, scope }))),
)('$name, $scope: units that hardly do anything go first', async ({ name, scope }) => {
  const calibration = name === 'lamp' ? {} : { calibration: 16 };
  const kept = await keptBy(name, { scope, ...calibration }, weakenOdd);
  for (const [id, units] of kept) {
    // Of a site with an odd number of units one more of either kind may stay.
    expect({ id, odd: units.filter((unit) => unit % 2 === 1).length }).toEqual({ id, odd: 0 });
  }
});

it.each(['mask-fisher', 'fisher', 'wanda-unit', 'flap', 'active-energy', 'variance', 'obs'])(
  '%s does not depend on how examples are put into batches',
  async (name) => {
    const options = { calibration: 16 };
    expect(await keptBy(name, options, undefined, 4)).toEqual(await keptBy(name, options, undefined, 8));
  },
);

it('allocated: each site keeps as many units as the error curves say, whichever ranker says which', async () => {
  const [obs, lamp] = [
    await keptBy('obs', { scope: 'allocated', calibration: 16 }, weakenOdd),
    await keptBy('lamp', { scope: 'allocated', calibration: 16 }, weakenOdd),
  ];
  const counts = (kept: ReadonlyMap<string, readonly number[]>) =>
    [...kept.values()].map(({ length }) => length);
  expect(counts(obs)).toEqual(counts(lamp));
  for (const units of [...obs.values(), ...lamp.values()]) {
    expect(units.filter((unit) => unit % 2 === 1)).toEqual([]);
  }
});

it('obs: units in the order in which they go, whatever the increments', () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 9 }),
      (added) => {
        const errors = [0];
        for (const value of added) errors.push((errors.at(-1) ?? 0) + value);
        const removed = added.map((_, unit) => (unit + 1) % (added.length + 1));
        const importance = importanceOnCurve({ removed, errors, best: errors });
        const order = [...importance.keys()].sort((a, b) => (importance[a] ?? NaN) - (importance[b] ?? NaN));
        expect(order).toEqual([...removed, 0]);
      },
    ),
  );
});

it('ranks within sites, within structures, or in one list', () => {
  const { model, params } = tinyModel();
  disposeTree(params);
  // Every attention unit is less important than every hidden unit, and those of later layers less than earlier ones.
  const importance = Object.fromEntries(
    model.sites.map(({ id, units, structure, layer }) => [
      id,
      Array.from({ length: units }, (_, unit) => (structure === 'ffn' ? 100 : 0) - 10 * layer + unit / units),
    ]),
  );
  const sharesOf = (scope: 'per-site' | 'isomorphic' | 'global') => {
    const priorities = prioritiesOf(model.sites, importance, { scope, scale: 'none' });
    const decision = selectUnits(model.sites, priorities, removalTarget(model, budget));
    return model.sites.map((site) => keptUnits(decision, site).length / site.units);
  };
  for (const share of sharesOf('per-site')) expect(Math.abs(share - 0.5)).toBeLessThan(0.15);
  const byKind = new Map(model.sites.map((site, index) => [site, sharesOf('isomorphic')[index] ?? NaN]));
  for (const [site, share] of byKind) {
    if (site.layer === 0) expect(share).toBeGreaterThan(0.8);
    else expect(share).toBeLessThan(0.3);
  }
  const attention = model.sites.map((site, index) => ({ site, share: sharesOf('global')[index] ?? NaN }));
  for (const { site, share } of attention) {
    if (site.structure === 'attention') expect(Math.round(share * site.units)).toBe(1);
  }
});

it('self-supervised: views of data that are not varied are the same, and that is said', async () => {
  const subject = subjectOf('self-supervised', { calibration: 20 });
  await expect(compressTiny(subject, { budget })).rejects.toThrow(
    'self-supervised compares two varied views of each picture, and here both are the same',
  );
});

it('self-supervised: labels change nothing', async () => {
  const kind = varied(visionTransformers);
  const labelled = z.looseObject({ labels: z.instanceof(Int32Array) });
  const relabelled = {
    ...kind.data.train,
    batch: async (...asked: Parameters<typeof kind.data.train.batch>) => {
      const { labels, ...others } = labelled.parse(await kind.data.train.batch(...asked));
      return { ...others, labels: labels.map((label) => (label + 1) % 3) };
    },
  };
  const decisionOf = async (train: typeof kind.data.train) => {
    const own = { ...kind, data: { ...kind.data, train } };
    const subject = { ...subjectOf('self-supervised', { calibration: 20 }), kind: own };
    return (await compressTiny(subject, { budget })).decision;
  };
  expect(await decisionOf(relabelled)).toEqual(await decisionOf(kind.data.train));
});
