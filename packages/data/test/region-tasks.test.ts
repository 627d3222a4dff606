import fc from 'fast-check';
import {
  type RegionReader,
  openRegionGroundingDataset,
  openRegionPairDataset,
  openRegionStatementDataset,
} from '../src/index';
import type { FoundGroundings } from '../src/grounded/grounded-example';
import { classesOfRegions } from '../src/regions/region-classes';
import { regionGroundingData } from '../src/regions/region-grounding-data';

/** Says of a region its left side. */
const reader: RegionReader = {
  features: 1,
  digest: 'left sides',
  lend: (use) => use((_, boxes) => Promise.resolve(Float32Array.from(boxes.flat(), ([left]) => left))),
};
const regions = { rule: 'true', seed: 0, reader } as const;
const small = { imageSize: 8 } as const;

test('a statement has the regions of both pictures, the left one first', async () => {
  const data = await openRegionStatementDataset('scenes-statements-tiny', small, regions);
  const { size, regions: shown, labels } = await data.train.batch([0, 1, 2]);
  expect([size, labels.length, shown.real.length]).toEqual([3, 3, 6 * shown.count]);
  expect(shown.count).toBeLessThanOrEqual(data.regions);
  for (let picture = 0; picture < 6; picture++) expect(shown.real[picture * shown.count]).toBe(1); // also of pictures that are there for a statement alone
  const [one, other] = [await data.train.batch([0]), await data.train.batch([1])];
  // False and true of the same text: one of both pictures differs.
  expect(one.tokens).toEqual(other.tokens);
  expect([...one.labels, ...other.labels]).toEqual([0, 1]);
  expect([...one.regions.boxes]).not.toEqual([...other.regions.boxes]);
});

test('texts about one picture are of one group with it', async () => {
  const data = await openRegionPairDataset('scenes-captions-tiny', small, regions);
  const { imageGroups, textGroups, regions: shown } = await data.validation.batch([0, 1, 4, 5]);
  expect(imageGroups).toEqual(textGroups);
  expect(new Set(textGroups.slice(0, 3)).size).toBe(1); // five captions of each
  expect(textGroups[3]).not.toBe(textGroups[0]);
  const first = shown.boxes.subarray(0, 4 * shown.count);
  expect(shown.boxes.subarray(4 * shown.count, 8 * shown.count)).toEqual(first);
});

test('the object that an expression means is one of the regions of its scene', async () => {
  const data = await openRegionGroundingDataset('scenes-expressions-tiny', small, regions);
  const { truths, regions: shown } = await data.train.batch([0, 1, 2, 3]);
  for (let example = 0; example < 4; example++) {
    const meant = truths.subarray(4 * example, 4 * example + 4).join();
    const all = Array.from({ length: shown.count }, (_, region) => {
      const place = 4 * (example * shown.count + region);
      return shown.boxes.subarray(place, place + 4).join();
    });
    expect(all).toContain(meant);
  }
  expect(data.notes.join()).not.toMatch(/other objects are not known/);
});

test('without boxes of what is in a picture its regions are those that texts mean; several objects are refused', async () => {
  const scenes = await openRegionGroundingDataset('scenes-expressions-tiny', small, regions);
  const path = 'scenes/train/0.png';
  const object = (left: number) =>
    ({ box: [left, 0, left + 0.2, 1], spans: [{ start: 0, end: 3 }] }) as const;
  const example = (text: string, ...lefts: readonly number[]) => ({
    picture: path,
    text,
    objects: lefts.map(object),
  });
  const examples = [example('one', 0), example('two', 0.5), example('again', 0)];
  const found: FoundGroundings = {
    name: 'written',
    notes: [],
    splits: { train: examples, validation: examples, test: examples },
    contents: (paths) => Promise.resolve(paths),
    files: { read: () => Promise.reject(new Error('expected no picture to be read')) },
  };
  expect(scenes.regions).toBeGreaterThan(2);
  const data = await regionGroundingData(found, small, regions);
  expect([data.regions, data.notes]).toEqual([
    2,
    [expect.stringMatching(/boxes that texts of written mean/)],
  ]);
  const several = { ...found, splits: { ...found.splits, test: [example('both', 0, 0.5)] } };
  await expect(regionGroundingData(several, small, regions)).rejects.toThrow(/both, which means 2/);
});

test('a region is of the class of the object that it shows, and of none where it shows none', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }), (classes) => {
      const objects = classes.map((index, place) => ({
        box: [place / 4, 0, (place + 1) / 4, 1] as const,
        index,
      }));
      const boxes = Float32Array.from([...objects.flatMap(({ box }) => [...box]), 0, 0, 1, 0.1]);
      const found = classesOfRegions({ count: objects.length + 1, boxes }, 0, objects);
      expect(found).toEqual([...classes.map((index) => index + 1), 0]);
    }),
    { numRuns: 30 },
  );
});
