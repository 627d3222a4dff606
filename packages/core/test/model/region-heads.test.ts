import {
  type Rank,
  type Tensor,
  concat,
  fill,
  gather,
  randomNormal,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import {
  type RegionHead,
  type RegionInputs,
  type UniterConfig,
  type UniterParams,
  configSchema,
  initialize,
  uniter,
  uniterConfig,
} from '../../src/index';

const [END, D, R, T] = [2, 8, 3, 4];
const tiny = (head: RegionHead): UniterConfig => ({
  ...uniterConfig('nano', { vocabulary: 9, context: T, endToken: END, features: 5, regions: R, head }),
  ...{ embedDim: D, heads: 2, denseHeadDim: 4 },
  trunk: { blocks: [{ headDim: 4, hiddenDim: 12 }] },
});
const heads = [{ kind: 'statements' }, { kind: 'retrieval' }, { kind: 'expressions' }] as const;

test.each(heads)('the configuration of a UNITER for $kind is read again', (head) => {
  expect(configSchema().parse(JSON.parse(JSON.stringify(tiny(head))))).toEqual(tiny(head));
});

test('statements cost two passes through the trunk, and their head is in the account once', () => {
  const [one, two] = [uniter(tiny({ kind: 'answers', answers: 3 })), uniter(tiny({ kind: 'statements' }))];
  const costOf = (model: typeof one, part: string) => {
    const lines = model.account.lines.filter((line) => line.part.startsWith(part));
    return {
      parameters: lines.reduce((sum, { parameters }) => sum + parameters, 0),
      macs: lines.reduce((sum, { macs }) => sum + macs, 0),
    };
  };
  const [single, double] = [costOf(one, 'trunk'), costOf(two, 'trunk')];
  expect(double).toEqual({ parameters: single.parameters, macs: 2 * single.macs });
  const attention = 4 * (D * D + D);
  expect(costOf(two, 'paired').parameters).toBe(2 * attention + (2 * D * D + D) + (D + 1) + (4 * D + 2));
  expect(two.sites.filter(({ id }) => id.startsWith('paired'))).toEqual([]);
  expect(costOf(two, 'pooler').parameters).toBe(0); // nothing reads it
});

const valuesOf = (tensor: Tensor | undefined) => [...(tensor?.dataSync() ?? [])];
const expectClose = (found: readonly number[], expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 4));
};

describe('heads of a UNITER', () => {
  beforeAll(() => startEngine('wasm'));

  const inputsOf = (pictures: number) => ({
    tokens: tensor2d([1, 3, 4, END, 1, 5, END, END], [2, T], 'int32'),
    features: randomNormal<Rank.R3>([pictures, R, 5], 0, 1, 'float32', 5),
    places: randomNormal<Rank.R3>([pictures, R, 7], 0, 1, 'float32', 6),
  });
  const padded = (plain: ReturnType<typeof inputsOf>): RegionInputs => {
    const pictures = plain.features.shape[0];
    const real = Array.from({ length: pictures }, () => [1, 1, 1, 0, 0]).flat();
    return {
      ...plain,
      features: concat([plain.features, fill<Rank.R3>([pictures, 2, 5], 7)], 1),
      places: concat([plain.places, fill<Rank.R3>([pictures, 2, 7], 7)], 1),
      counts: tensor2d(real, [pictures, R + 2]),
    };
  };

  it.each(heads)('for $kind look at no padding', (head) => {
    tidy(() => {
      const model = uniter(tiny(head));
      const params = initialize<UniterParams>(model.specs, 3);
      const plain = inputsOf(head.kind === 'statements' ? 4 : 2);
      const expected = model.forward(params, plain).logits;
      const found = model.forward(params, padded(plain)).logits;
      if (head.kind !== 'expressions') return expectClose(valuesOf(found), valuesOf(expected));
      expect(expected.shape).toEqual([2, R]);
      const rows = Array.from({ length: 2 }, (_, row) =>
        valuesOf(found).slice(row * (R + 2), (row + 1) * (R + 2)),
      );
      expectClose(
        rows.flatMap((row) => row.slice(0, R)),
        valuesOf(expected),
      );
      expect(Math.max(...rows.flatMap((row) => row.slice(R)))).toBeLessThan(-9000);
      return undefined;
    });
  });

  it('tell the two pictures of a statement apart, and hear of both', () => {
    tidy(() => {
      const model = uniter(tiny({ kind: 'statements' }));
      const params = initialize<UniterParams>(model.specs, 3);
      const plain = inputsOf(4);
      const saidOf = (order: readonly number[]) => {
        const rows = tensor2d([...order], [4, 1], 'int32')
          .flatten()
          .toInt();
        const shown = { features: gather(plain.features, rows), places: gather(plain.places, rows) };
        return valuesOf(model.forward(params, { ...plain, ...shown }).logits);
      };
      const said = saidOf([0, 1, 2, 3]);
      const [turned, other] = [saidOf([1, 0, 2, 3]), saidOf([0, 3, 2, 3])];
      expect(turned.slice(0, 2)).not.toEqual(said.slice(0, 2));
      expect(other.slice(0, 2)).not.toEqual(said.slice(0, 2));
      expectClose(turned.slice(2), said.slice(2));
    });
  });
});
