import {
  type Scalar,
  type Tensor,
  abs,
  concat,
  max,
  memory,
  reshape,
  square,
  sub,
  sum,
  tensor,
  tidy,
  valueAndGrads,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type Decision,
  type DualEncoder,
  type DualEncoderConfig,
  type DualEncoderParams,
  type RandomStream,
  type Share,
  type Site,
  UserError,
  checkDecision,
  columnNames,
  columnsOf,
  compact,
  disposeTree,
  dualEncoder,
  entriesOf,
  leavesOf,
  modelOf,
  ownColumns,
  randomStream,
  removalTarget,
  shareKind,
  sizeOf,
  withLeaves,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { perturbedParams, randomImages, seeds } from './random-model';
import { asTokens, randomTexts, twins } from './random-towers';
import { roundingBound } from './rounding';

/** Vision borrows from the text of its layer, later text layers from the first. */
function lenderOf({ tower, layer, structure }: Site): string | undefined {
  if (tower === 'vision') return `text.blocks.${layer}.${structure}`;
  return layer === 0 ? undefined : `text.blocks.0.${structure}`;
}

/** Random letters that may stand together: what others borrow is not pruned, and the first unit never is. */
function randomShares(sites: readonly Site[], random: RandomStream): Decision {
  const shares = new Map<string, Record<string, string[]>>();
  for (const site of sites) {
    const lender = lenderOf(site);
    const letters = columnNames(site).map((part): [string, string[]] => [
      part,
      Array.from({ length: columnsOf(site) }, () =>
        lender !== undefined && random.uniform() < 0.4 ? 'b' : 'k',
      ),
    ]);
    shares.set(site.id, Object.fromEntries(letters));
  }
  const isBorrowed = (site: Site, part: string, column: number) =>
    shares.get(site.id)?.[part]?.[column] === 'b' ||
    sites.some((other) => lenderOf(other) === site.id && shares.get(other.id)?.[part]?.[column] === 'b');
  for (const site of sites) {
    const parts = site.structure === 'ffn' ? ['hidden'] : ['query', 'key'];
    for (let column = 1; column < columnsOf(site); column++) {
      if (random.uniform() < 0.5 || parts.some((part) => isBorrowed(site, part, column))) continue;
      for (const part of parts) shares.get(site.id)?.[part]?.splice(column, 1, 'p');
    }
  }
  const decided = sites.map((site): [string, Share] => {
    const lender = lenderOf(site);
    const columns = Object.fromEntries(
      Object.entries(shares.get(site.id) ?? {}).map(([part, letters]) => [part, letters.join('')]),
    );
    return [
      site.id,
      { kind: 'share', units: site.units, ...(lender === undefined ? {} : { lender }), columns },
    ];
  });
  return { version: 1, sites: Object.fromEntries(decided) };
}

/** Parameters by part, as a decision's letters name them. */
const NAMES: Readonly<Record<string, readonly (readonly [string, 0 | 1])[]>> = {
  query: [
    ['query.weight', 1],
    ['query.bias', 0],
  ],
  key: [
    ['key.weight', 1],
    ['key.bias', 0],
  ],
  value: [
    ['value.weight', 1],
    ['value.bias', 0],
  ],
  hidden: [
    ['expand.weight', 1],
    ['expand.bias', 0],
    ['contract.weight', 0],
  ],
};

/** Carries a decision out on dense parameters, entry by entry: borrowed columns copied, pruned ones 0. */
function sharedByHand(params: DualEncoderParams, { sites }: Decision): DualEncoderParams {
  const values = new Map(entriesOf<Tensor>(params).map(([path, leaf]) => [path, [...leaf.dataSync()]]));
  const shapes = new Map(entriesOf<Tensor>(params).map(([path, leaf]) => [path, leaf.shape]));
  const copy = (from: string, to: string, column: number, axis: 0 | 1) => {
    const [rows = 1, width = 1] = shapes.get(to) ?? [];
    const at = (row: number) => (axis === 1 ? row * width + column : column * width + row);
    for (let i = 0; i < (axis === 1 ? rows : width); i++) {
      values.get(to)?.splice(at(i), 1, from === '' ? 0 : (values.get(from)?.[at(i)] ?? Number.NaN));
    }
  };
  const inOrder = Object.entries(sites).sort(
    ([a], [b]) => Number(a.startsWith('v')) - Number(b.startsWith('v')),
  );
  for (const [id, decided] of inOrder) {
    if (!shareKind.is(decided)) continue;
    for (const [part, letters] of Object.entries(decided.columns)) {
      for (const [name, axis] of NAMES[part] ?? []) {
        [...letters].forEach((letter, column) => {
          if (letter === 'b') copy(`${decided.lender ?? ''}.${name}`, `${id}.${name}`, column, axis);
          if (letter === 'p') copy('', `${id}.${name}`, column, axis);
        });
      }
    }
  }
  const leaves = entriesOf<Tensor>(params).map(([path, leaf]) => tensor(values.get(path) ?? [], leaf.shape));
  return withLeaves(params, leaves);
}

/** A model, its inputs, a decision and the dense parameters that it makes; to be called in a tidy. */
function drawn(config: DualEncoderConfig, seed: number) {
  const model = dualEncoder(config);
  const random = randomStream(seed, 'inputs');
  const images = randomImages(config.vision, random, 2);
  const tokens = asTokens(randomTexts(config.text, random, 3, config.text.context));
  const decision = randomShares(model.sites, random);
  const params = sharedByHand(perturbedParams(model, seed), decision);
  return { model, params, decision, inputs: { images, tokens } };
}

const difference = (a: Tensor, b: Tensor): number => max(abs(sub(a, b))).dataSync()[0] ?? Number.NaN;

describeOnEveryEngine('a model whose columns are tied', () => {
  it('gives what the dense model with copied and pruned columns gives', () => {
    fc.assert(
      fc.property(twins, seeds, (config, seed) => {
        tidy(() => {
          const { model, params, decision, inputs } = drawn(config, seed);
          checkDecision(decision, model.sites);
          const cut = compact(model, params, decision);
          const dense = model.forward(params, inputs).logits;
          const bound = roundingBound(params, (own) => model.forward(own, inputs).logits, 2e-5);
          expect(difference(dense, cut.model.forward(cut.params, inputs).logits)).toBeLessThan(bound);
          const again = modelOf(cut.model.config);
          expect(again.account).toEqual(cut.model.account);
        });
      }),
      { numRuns: 20 },
    );
  });

  it('has for each stored column the sum of the gradients of its uses', () => {
    fc.assert(
      fc.property(twins, seeds, (config, seed) => {
        tidy(() => {
          const { model, params, decision, inputs } = drawn(config, seed);
          const cut = compact(model, params, decision);
          const gradients = (
            encoder: Pick<DualEncoder, 'forward'>,
            of: DualEncoderParams,
          ): Map<string, Tensor> => {
            const loss = (...leaves: Tensor[]) =>
              sum<Scalar>(square(encoder.forward(withLeaves(of, leaves), inputs).logits));
            const { grads } = valueAndGrads(loss)(leavesOf(of));
            return new Map(entriesOf<Tensor>(withLeaves(of, grads)));
          };
          const dense = gradients(model, params);
          const tied = gradients(cut.model, cut.params);
          const scale = Math.max(...[...dense.values()].map((one) => max(abs(one)).dataSync()[0] ?? 0), 1e-3);
          const together = (own: DualEncoderParams) =>
            concat([...gradients(model, own).values()].map((one) => reshape(one, [one.size])));
          const bound = roundingBound(params, together, 1e-4 * scale);
          for (const [path, gradient] of tied) {
            const expected = summedUses(path, decision, dense, gradient.shape);
            expect(difference(gradient, expected)).toBeLessThan(bound);
          }
        });
      }),
      { numRuns: 8 },
    );
  });

  it('leaves nothing behind', () => {
    const before = memory().numTensors;
    const [config] = fc.sample(twins, { seed: 3, numRuns: 1 });
    if (config === undefined) throw new Error('no configuration was drawn');
    const model = dualEncoder(config);
    const params = perturbedParams(model, 1);
    const decision = randomShares(model.sites, randomStream(1, 'shares'));
    disposeTree(compact(model, params, decision).params);
    disposeTree(params);
    expect(memory().numTensors).toBe(before);
  });
});

/** The dense gradients of all columns that a stored parameter's columns stand for, added by hand. */
function summedUses(
  path: string,
  { sites }: Decision,
  dense: ReadonlyMap<string, Tensor>,
  shape: number[],
): Tensor {
  const id = Object.keys(sites).find((each) => path.startsWith(`${each}.`));
  const name = path.slice((id?.length ?? 0) + 1);
  const found = Object.entries(NAMES)
    .flatMap(([part, names]) => names.map(([known, axis]) => ({ part, known, axis })))
    .find(({ known }) => known === name);
  const gradient = dense.get(path);
  if (gradient === undefined) throw new Error(`no gradient at ${path}`);
  if (id === undefined || found === undefined) return gradient;
  const { part, axis } = found;
  const lettersAt = (site: string): string => {
    const decided = sites[site];
    return decided !== undefined && shareKind.is(decided)
      ? (Object.entries(decided.columns).find(([key]) => key === part)?.[1] ?? '')
      : '';
  };
  const ownerOf = (site: string, column: number): string => {
    const decided = sites[site];
    return decided !== undefined && shareKind.is(decided) && lettersAt(site)[column] === 'b'
      ? ownerOf(decided.lender ?? '', column)
      : site;
  };
  const own = ownColumns(lettersAt(id));
  const values = Array<number>(sizeOf({ shape })).fill(0);
  for (const site of Object.keys(sites)) {
    const use = dense.get(`${site}.${name}`);
    if (use === undefined) continue;
    const numbers = use.dataSync();
    const [rows = 1, width = 1] = use.shape;
    own.forEach((column, position) => {
      if (lettersAt(site)[column] === 'p' || ownerOf(site, column) !== id) return;
      for (let i = 0; i < (axis === 1 ? rows : width); i++) {
        const from = axis === 1 ? i * width + column : column * width + i;
        const to = axis === 1 ? i * own.length + position : position * width + i;
        values[to] = (values[to] ?? 0) + (numbers[from] ?? Number.NaN);
      }
    });
  }
  return tensor(values, shape);
}

describe('the account of a tied model', () => {
  it('counts what is stored, each column once, and charges what runs', () => {
    fc.assert(
      fc.property(twins, seeds, (config, seed) => {
        const model = dualEncoder(config);
        const decision = randomShares(model.sites, randomStream(seed, 'shares'));
        const small = model.shrink(decision);
        const stored = entriesOf(small.specs).reduce((total, [, spec]) => total + sizeOf(spec), 0);
        expect(small.account.parameters).toBe(stored);
        const { ties: _ties, ...untied } = small.config;
        expect(small.account.macs).toBe(dualEncoder(untied).account.macs);
        expect(small.account.macs).toBeLessThanOrEqual(model.account.macs);
      }),
    );
  });

  it('cannot be cut again', () => {
    const [config] = fc.sample(twins, { seed: 3, numRuns: 1 });
    if (config === undefined) throw new Error('no configuration was drawn');
    const model = dualEncoder(config);
    const small = model.shrink(randomShares(model.sites, randomStream(1, 'shares')));
    expect(() => removalTarget(small, { unit: 'parameters', keep: 0.5 })).toThrow(UserError);
    expect(() => small.shrink({ version: 1, sites: {} })).toThrow(/start from the dense one/);
  });
});
