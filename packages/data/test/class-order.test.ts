import { type FoundImageClassificationData, inClassOrder } from '../src/index';

const split = (...labels: number[]) => ({
  size: labels.length,
  batch: (indices: readonly number[]) =>
    Promise.resolve({
      size: indices.length,
      images: new Float32Array(indices.length),
      labels: Int32Array.from(indices, (index) => labels[index] ?? -1),
    }),
});
const data: FoundImageClassificationData = {
  name: 'colours',
  notes: [],
  skipped: [],
  duplicates: () => Promise.resolve([]),
  classes: ['blue', 'green', 'red'],
  imageSize: 1,
  channels: 1,
  train: split(0, 1, 2, 2),
  validation: split(1),
  test: split(2, 0),
};

test('classes in another order take their labels with them, in every split', async () => {
  const ordered = inClassOrder(data, ['red', 'blue', 'green']);
  expect(ordered.classes).toEqual(['red', 'blue', 'green']);
  for (const name of ['train', 'validation', 'test'] as const) {
    const all = Array.from({ length: data[name].size }, (_, index) => index);
    const [before, after] = [await data[name].batch(all), await ordered[name].batch(all)];
    expect(ordered[name].size).toBe(data[name].size);
    expect([...after.labels].map((label) => ordered.classes[label])).toEqual(
      [...before.labels].map((label) => data.classes[label]),
    );
  }
});

test.each([[['blue', 'red']], [['blue', 'green', 'violet']], [['blue', 'green', 'red', 'violet']]])(
  'other classes are refused: %s',
  (classes) => {
    expect(() => inClassOrder(data, classes)).toThrow(/expected the classes blue, green, red in some order/);
  },
);
