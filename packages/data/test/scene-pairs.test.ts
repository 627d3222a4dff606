import { embeddedImageTextDatasets, namesImageTextData } from '../src/index';
import { type SceneSet, identityOfScenes } from '../src/scenes/scene-files';
import { sceneCaptionSets, sceneCaptions } from '../src/scenes/scene-pairs';

const few = (control?: SceneSet['control']): SceneSet => ({
  name: 'few scenes',
  test: 'new drawings',
  sizes: { train: 20, validation: 5, test: 8 },
  ...(control === undefined ? {} : { control }),
});

test('scenes with captions are data for retrieval, by their name', async () => {
  const name = 'scenes-captions-small';
  expect(embeddedImageTextDatasets.map((set) => set.name)).toEqual(
    expect.arrayContaining(sceneCaptionSets.map((set) => set.name)),
  );
  expect(await namesImageTextData(name)).toBe(true);
  const data = await sceneCaptions(few(), { imageSize: 32 });
  expect([data.train.size, data.validation.size, data.test.size]).toEqual([20, 5, 8]);
  const batch = await data.test.batch([0, 1, 2]);
  expect(batch.texts).toBe(15);
  expect(batch.images).toHaveLength(3 * 32 * 32 * 3);
  expect(new Set(batch.images).size).toBeGreaterThan(100);
  expect(await data.duplicates()).toEqual([]);
});

test('negative controls have grey pictures, or captions of other scenes', async () => {
  const open = (control?: SceneSet['control']) => sceneCaptions(few(control), { imageSize: 32 });
  const [plain, blank, shuffled] = [await open(), await open('blank pictures'), await open('shuffled texts')];
  expect(blank.texts.test).toEqual(plain.texts.test);
  expect(new Set((await blank.test.batch([5])).images).size).toBeLessThanOrEqual(3);
  expect([...shuffled.texts.test].sort()).toEqual([...plain.texts.test].sort());
  const said = async ({ test }: typeof plain) => [...(await test.batch([5])).tokens];
  expect(await said(shuffled)).not.toEqual(await said(plain));
  const seen = async ({ test }: typeof plain) => Buffer.from((await test.batch([5])).images.buffer);
  expect((await seen(shuffled)).equals(await seen(plain))).toBe(true);
  expect(blank.notes.join()).toContain('a negative control, blank pictures');
});

test('the identity of scenes says which they are, without making them', async () => {
  const identity = await identityOfScenes(few(), 'captions');
  expect(await identityOfScenes({ ...few(), name: 'another name' }, 'captions')).toEqual(identity);
  for (const other of [few('blank pictures'), { ...few(), test: 'new pairs' } as const]) {
    expect(await identityOfScenes(other, 'captions')).not.toEqual(identity);
  }
  expect(await identityOfScenes(few(), 'expressions')).not.toEqual(identity);
});
