import { type PairBatch, evaluationBatches, trainingBatches } from '@winnow/core';
import fc from 'fast-check';
import { DataError } from '../src/failure/data-error';
import type { PreparedPictures } from '../src/picture/prepared';
import type { PairGroup } from '../src/pairs/group';
import { pairDataset } from '../src/pairs/pair-dataset';
import { type PairSplits, completeSplits } from '../src/pairs/splits';
import { numberedTexts } from './pairs/numbered-texts';

const groupsOf = (counts: readonly { pictures: number; texts: number }[]): PairGroup[] =>
  counts.map(({ pictures, texts }, group) => ({
    pictures: Array.from({ length: pictures }, (_, index) => `${group}/picture ${index}`),
    texts: Array.from({ length: texts }, (_, index) => `${group}/text ${index}`),
  }));

const someGroups = fc
  .array(fc.record({ pictures: fc.integer({ min: 1, max: 3 }), texts: fc.integer({ min: 1, max: 5 }) }), {
    minLength: 1,
    maxLength: 8,
  })
  .map(groupsOf);

/** A dataset of pictures of a single value, their position among all paths, with what reads batches back. */
function readable(groups: readonly PairGroup[]) {
  const paths = groups.flatMap(({ pictures }) => pictures);
  const tokenizer = numberedTexts(groups.flatMap(({ texts }) => texts));
  const pictures: Pick<PreparedPictures, 'batch'> = {
    batch: async (wanted) => Float32Array.from(wanted, ({ path }) => paths.indexOf(path)),
  };
  return {
    dataset: pairDataset(groups, { pictures, tokenizer, context: 3 }),
    picturesIn: (batch: PairBatch) => Array.from(batch.images, (value) => paths[value] ?? 'no picture'),
    textsIn: tokenizer.textsIn,
  };
}

const seeds = fc.integer({ min: 0, max: 1_000_000 });
const epochs = fc.integer({ min: 0, max: 1000 });

describe('a training batch', () => {
  test('has one picture and one text of each group asked for, and they are of that group', async () => {
    await fc.assert(
      fc.asyncProperty(someGroups, seeds, epochs, async (groups, seed, epoch) => {
        const { dataset, picturesIn, textsIn } = readable(groups);
        const source = trainingBatches(dataset, { batchSize: 4, seed, augment: true });
        const batch = await source.at(epoch);
        expect(batch.size).toBe(Math.min(4, groups.length));
        expect(batch.texts).toBe(batch.size);
        expect(batch.imageGroups).toEqual(batch.textGroups);
        expect(new Set(batch.imageGroups).size).toBe(batch.size);
        batch.imageGroups.forEach((group, position) => {
          expect(groups[group]?.pictures).toContain(picturesIn(batch)[position]);
          expect(groups[group]?.texts).toContain(textsIn(batch)[position]);
        });
      }),
    );
  });

  test('is the same for the same seed and epoch, and each group the same alone and in company', async () => {
    await fc.assert(
      fc.asyncProperty(someGroups, seeds, epochs, async (groups, seed, epoch) => {
        const { dataset, picturesIn, textsIn } = readable(groups);
        const all = await dataset.batch([...groups.keys()], { seed, epoch });
        expect(await readable(groups).dataset.batch([...groups.keys()], { seed, epoch })).toEqual(all);
        for (const group of groups.keys()) {
          const alone = await dataset.batch([group], { seed, epoch });
          expect(picturesIn(alone)).toEqual([picturesIn(all)[group]]);
          expect(textsIn(alone)).toEqual([textsIn(all)[group]]);
        }
      }),
    );
  });

  test('n texts or pictures of a group are all shown in n epochs', async () => {
    await fc.assert(
      fc.asyncProperty(someGroups, seeds, fc.integer({ min: 0, max: 50 }), async (groups, seed, round) => {
        const { dataset, picturesIn, textsIn } = readable(groups);
        const shown = async (group: number, count: number, read: (batch: PairBatch) => string[]) => {
          const seen: string[] = [];
          for (let turn = 0; turn < count; turn++) {
            const batch = await dataset.batch([group], { seed, epoch: round * count + turn });
            seen.push(...read(batch));
          }
          return seen.sort();
        };
        for (const [group, { pictures, texts }] of groups.entries()) {
          expect(await shown(group, texts.length, textsIn)).toEqual(texts);
          expect(await shown(group, pictures.length, picturesIn)).toEqual(pictures);
        }
      }),
    );
  });

  test('in time every picture of a group meets every text of it', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const { dataset, picturesIn, textsIn } = readable(groupsOf([{ pictures: 2, texts: 2 }]));
        const met = new Set<string>();
        for (let epoch = 0; epoch < 80; epoch++) {
          const batch = await dataset.batch([0], { seed, epoch });
          met.add(`${picturesIn(batch).join()} with ${textsIn(batch).join()}`);
        }
        expect(met.size).toBe(4);
      }),
      { numRuns: 20 },
    );
  });

  test('another seed gives other turns', async () => {
    const { dataset } = readable(groupsOf(Array.from({ length: 20 }, () => ({ pictures: 3, texts: 5 }))));
    const [one, other] = await Promise.all(
      [1, 2].map((seed) => dataset.batch([...Array(20).keys()], { seed, epoch: 0 })),
    );
    expect(one?.tokens).not.toEqual(other?.tokens);
    expect(one?.images).not.toEqual(other?.images);
  });
});

test('evaluation covers every picture and every text once, each with the number of its group', async () => {
  await fc.assert(
    fc.asyncProperty(someGroups, fc.integer({ min: 1, max: 9 }), async (groups, batchSize) => {
      const { dataset, picturesIn, textsIn } = readable(groups);
      const shown: string[] = [];
      const said: string[] = [];
      for await (const batch of evaluationBatches(dataset, batchSize)) {
        const [pictures, texts] = [picturesIn(batch), textsIn(batch)];
        expect([batch.size, batch.texts]).toEqual([pictures.length, texts.length]);
        batch.imageGroups.forEach((group, row) => expect(groups[group]?.pictures).toContain(pictures[row]));
        batch.textGroups.forEach((group, row) => expect(groups[group]?.texts).toContain(texts[row]));
        shown.push(...pictures);
        said.push(...texts);
      }
      expect(shown).toEqual(groups.flatMap(({ pictures }) => pictures));
      expect(said).toEqual(groups.flatMap(({ texts }) => texts));
    }),
  );
});

test('an index out of range is refused', async () => {
  const { dataset } = readable(groupsOf([{ pictures: 1, texts: 1 }]));
  await expect(dataset.batch([1])).rejects.toThrow('an index below 1');
});

describe('splits that are missing', () => {
  const complete = (splits: Partial<PairSplits>, options = {}) =>
    completeSplits({ name: 'pets', splits: { train: [], validation: [], test: [], ...splits } }, options);
  const many = groupsOf(Array.from({ length: 40 }, () => ({ pictures: 1, texts: 1 })));
  const others = groupsOf([{ pictures: 1, texts: 2 }]);

  test('are set aside from training: every group is in one split, in its order, decided by the seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 60 }),
        fc.double({ min: 0.01, max: 0.3, noNaN: true }),
        seeds,
        fc.boolean(),
        (count, validationShare, validationSeed, tested) => {
          const groups = groupsOf(Array.from({ length: count }, () => ({ pictures: 1, texts: 1 })));
          const options = { validationShare, validationSeed };
          const splits = complete({ train: groups, test: tested ? others : [] }, options);
          const { train, validation, test } = splits;
          const all = [...train, ...validation, ...(tested ? [] : test)];
          expect(new Set(all)).toEqual(new Set(groups));
          expect(all).toHaveLength(groups.length);
          if (tested) expect(test).toEqual(others);
          for (const split of [train, validation, test]) {
            expect(split.length).toBeGreaterThan(0);
            const order = split.map((group) => groups.indexOf(group));
            expect(order).toEqual([...order].sort((a, b) => a - b));
          }
          expect(validation).toHaveLength(Math.max(1, Math.round(count * validationShare)));
          expect(complete({ train: groups, test: tested ? others : [] }, options)).toEqual(splits);
        },
      ),
    );
    expect(complete({ train: many }, { validationSeed: 1 })).not.toEqual(
      complete({ train: many }, { validationSeed: 2 }),
    );
  });

  test('a lone validation split becomes the test; both held-out splits stay as they are', () => {
    const lone = complete({ train: many, validation: others });
    expect(lone.test).toEqual(others);
    expect(lone.validation).toHaveLength(4);
    const all = { train: many.slice(5), validation: many.slice(0, 5), test: others };
    expect(complete(all)).toEqual(all);
  });

  test('cannot be made of nothing, of too little, or with a share that is none', () => {
    expect(() => complete({ test: others })).toThrow(DataError);
    expect(() => complete({ test: others })).toThrow(/split train of pets.*test: 1/);
    expect(() => complete({ train: many.slice(0, 2) })).toThrow('2 × 1 aside');
    expect(() => complete({ train: many }, { validationShare: 1 })).toThrow(RangeError);
  });
});
