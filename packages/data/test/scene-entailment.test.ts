import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  type EntailmentTriple,
  type RegionReader,
  type SceneObject,
  type SceneSource,
  type SceneSplit,
  entailmentIn,
  entailmentLabels,
  identifyEntailmentDataset,
  namesEntailmentData,
  openEntailmentDataset,
  openRegionEntailmentDataset,
  painted,
  scenePool,
  sceneSource,
  sceneSplits,
} from '../src/index';
import { isHeldOutPair, sceneConcepts } from '../src/scenes/concepts';
import { type EntailmentMeaning, entailed, verdictOf } from '../src/scenes/entailment';
import { sceneEntailment, sceneEntailmentSets } from '../src/scenes/scene-entailment';

const splits = Object.keys(sceneSplits) as SceneSplit[];
const SCENES = 25;
let source: SceneSource;
const drawn = new Map<SceneSplit, EntailmentTriple[]>();
beforeAll(async () => {
  source = await sceneSource();
  for (const split of splits) drawn.set(split, entailmentIn(scenePool(source, split, SCENES)));
});
const triplesOf = (split: SceneSplit): EntailmentTriple[] => drawn.get(split) ?? [];
const everyTriple = (): [SceneSplit, EntailmentTriple][] =>
  splits.flatMap((split) =>
    triplesOf(split).map((triple): [SceneSplit, EntailmentTriple] => [split, triple]),
  );

const object = (
  concept: string,
  [x, y, half]: readonly [number, number, number],
  colour?: SceneObject['colour'],
): SceneObject => ({
  ...{ concept, colour, group: 'animal', size: 'small', visibleShare: 1, depth: 0 },
  box: { left: x - half, top: y - half, right: x + half, bottom: y + half },
  centre: { x, y },
});
const scene = {
  side: 100,
  objects: [object('cat', [20, 20, 10]), object('dog', [80, 24, 20]), object('key', [50, 80, 9], 'red')],
};
const of = (name: string) => ({ noun: { kind: 'concept', name } as const });
const where = (a: string, is: 'left of' | 'right of' | 'above' | 'below', b: string): EntailmentMeaning => ({
  ...{ kind: 'where', a: of(a), is, b: of(b) },
});
const size = (a: string, is: 'larger' | 'smaller', b: string): EntailmentMeaning => ({
  ...{ kind: 'size', a: of(a), is, b: of(b) },
});
const colour = (a: string, is: NonNullable<SceneObject['colour']>): EntailmentMeaning => ({
  ...{ kind: 'colour', a: of(a), is },
});

test.each<[EntailmentMeaning, string, string | undefined]>([
  [where('cat', 'left of', 'dog'), 'the cat is left of the dog.', 'entailment'],
  [where('cat', 'right of', 'dog'), 'the cat is right of the dog.', 'contradiction'],
  [where('cat', 'above', 'dog'), 'the cat is above the dog.', undefined], // 4 of 100 apart
  [where('key', 'below', 'dog'), 'the key is below the dog.', 'entailment'],
  [where('cat', 'left of', 'pig'), 'the cat is left of the pig.', 'neutral'],
  [where('pig', 'left of', 'cow'), 'the pig is left of the cow.', 'neutral'],
  [size('dog', 'larger', 'cat'), 'the dog is larger than the cat.', 'entailment'],
  [size('dog', 'smaller', 'cat'), 'the dog is smaller than the cat.', 'contradiction'],
  [size('key', 'smaller', 'cat'), 'the key is smaller than the cat.', 'entailment'],
  [size('cow', 'smaller', 'cat'), 'the cow is smaller than the cat.', 'neutral'],
  [colour('key', 'red'), 'the key is red.', 'entailment'],
  [colour('key', 'blue'), 'the key is blue.', 'contradiction'],
  [colour('star', 'blue'), 'the star is blue.', 'neutral'],
  [colour('cat', 'blue'), 'the cat is blue.', undefined], // it has the colours of its drawing
])('%j is said and judged', (meaning, text, verdict) => {
  expect(entailed(meaning)).toBe(text);
  expect(verdictOf(scene, meaning)).toBe(verdict);
});

test('what is there twice is spoken of by no statement, whatever else it says', () => {
  const twice = { ...scene, objects: [...scene.objects, object('cat', [60, 60, 10])] };
  for (const meaning of [
    where('cat', 'left of', 'dog'),
    where('pig', 'above', 'cat'),
    size('dog', 'larger', 'cat'),
  ])
    expect(verdictOf(twice, meaning)).toBeUndefined();
});

test('the solver agrees with each label of each scene, and one of the three is the scene of the pool', () => {
  const layouts = new Map(
    splits.map((split) => [
      split,
      scenePool(source, split, SCENES).scenes.map((own) => JSON.stringify(own.layout)),
    ]),
  );
  for (const [split, { text, meaning, scenes, drawnFor }] of everyTriple()) {
    expect(entailed(meaning)).toBe(text);
    for (const label of entailmentLabels) expect(verdictOf(scenes[label], meaning)).toBe(label);
    expect(layouts.get(split)).toContain(JSON.stringify(scenes[drawnFor].layout));
  }
});

test('scenes of a statement differ in at most two places each, stand out, and have no colours of the test of pairs', () => {
  for (const [split, { scenes, drawnFor }] of everyTriple()) {
    const own = scenes[drawnFor];
    for (const { layout, objects } of Object.values(scenes)) {
      expect(layout.background).toEqual(own.layout.background);
      expect(objects.every(({ visibleShare }) => visibleShare >= 0.7)).toBe(true);
      const changed = layout.objects.filter((each, place) => {
        const { concept, colour: painted, ...stands } = each;
        const { concept: before, colour: paintedBefore, ...stood } = own.layout.objects[place] ?? each;
        expect(stands).toEqual(stood);
        return concept !== before || painted !== paintedBefore;
      });
      expect(changed.length).toBeLessThanOrEqual(2);
      for (const { concept, colour: painted } of layout.objects) {
        const known = sceneConcepts[concept];
        expect(painted !== undefined).toBe(known?.recolourable);
        if (split !== 'new pairs' && known !== undefined && painted !== undefined)
          expect(isHeldOutPair(known, painted)).toBe(false);
      }
    }
  }
});

test('a statement depends on seed, split and index alone, and all of them have this digest', () => {
  fc.assert(
    fc.property(fc.constantFrom(...splits), fc.integer({ min: 1, max: SCENES }), (split, count) => {
      const fewer = entailmentIn(scenePool(source, split, count));
      expect(triplesOf(split).slice(0, fewer.length)).toEqual(fewer);
    }),
    { numRuns: 8 },
  );
  const hash = createHash('sha256');
  for (const [split, { text, scenes }] of everyTriple()) {
    hash.update(text);
    for (const { layout } of Object.values(scenes))
      hash.update(painted(layout, source.drawingsOf(split)).pixels);
  }
  expect(hash.digest('hex')).toBe('de00991a8be41a790b1065f68217d0a1d0736a10cff2ff8bf1f97ed1bfeeef21');
});

test('no label is more likely of a scene as it was drawn, nor of one that was changed', () => {
  const drawnFor = entailmentIn(scenePool(source, 'train', 600)).map((triple) => triple.drawnFor);
  for (const label of entailmentLabels) {
    const share = drawnFor.filter((own) => own === label).length / drawnFor.length;
    // Three and a half standard deviations of a third of some 300.
    expect(Math.abs(share - 1 / 3)).toBeLessThan(0.095);
  }
});

test('words alone are right for a third of any split: each text stands as often with each label', async () => {
  for (const name of ['scenes-entailment-tiny', 'scenes-entailment-blank', 'scenes-entailment-shuffled']) {
    const set = sceneEntailmentSets.find((own) => own.name === name);
    if (set === undefined) throw new Error(`expected ${name}`);
    const found = await sceneEntailment({ ...set, sizes: { train: 40, validation: 20, test: 20 } });
    const isShuffled = name.endsWith('shuffled');
    let uneven = 0;
    for (const examples of Object.values(found.splits)) {
      expect(examples.length).toBeGreaterThan(10);
      for (const text of new Set(examples.map((example) => example.text))) {
        const counts = entailmentLabels.map(
          (label) => examples.filter((example) => example.text === text && example.label === label).length,
        );
        uneven += new Set(counts).size > 1 ? 1 : 0;
      }
      for (const label of entailmentLabels)
        expect(examples.filter((example) => example.label === label)).toHaveLength(examples.length / 3);
      expect(new Set(examples.map(({ picture }) => picture)).size).toBe(examples.length);
    }
    expect(uneven > 0).toBe(isShuffled);
    expect(found.notes.some((note) => note.includes('a third of any split'))).toBe(!isShuffled);
    expect(found.notes.some((note) => note.startsWith('a negative control'))).toBe(!name.endsWith('tiny'));
  }
});

const options = { imageSize: 16, augmentation: 'none' } as const;

test('a batch has a picture, a text and a class of each example', async () => {
  const data = await openEntailmentDataset('scenes-entailment-tiny', { ...options, images: 'somewhere' });
  expect(data.notes).toContain('--images is for files, and not used here');
  const batch = await data.train.batch([0, 1, 2, 3]);
  expect([...batch.labels]).toEqual([0, 1, 2, 0]);
  expect(batch.images).toHaveLength(4 * 16 * 16 * 3);
  const length = batch.tokens.length / 4;
  const row = (index: number) => [...batch.tokens.subarray(index * length, (index + 1) * length)];
  expect([row(1), row(2)]).toEqual([row(0), row(0)]);
  expect(row(3)).not.toEqual(row(0));
  const pictures = [0, 1, 2].map((place) => batch.images.slice(place * 768, (place + 1) * 768).join());
  expect(new Set(pictures).size).toBe(3);
});

test('regions of each scene stand in the place of its pixels, those of changed scenes too', async () => {
  const reader: RegionReader = {
    ...{ features: 1, digest: 'left sides' },
    lend: (use) => use((_, boxes) => Promise.resolve(Float32Array.from(boxes.flat(), ([left]) => left))),
  };
  const regions = { rule: 'true', seed: 0, reader } as const;
  const data = await openRegionEntailmentDataset('scenes-entailment-tiny', options, regions);
  const { size: count, regions: shown, labels } = await data.train.batch([0, 1, 2]);
  expect([count, [...labels], shown.real.length]).toEqual([3, [0, 1, 2], 3 * shown.count]);
  for (let picture = 0; picture < 3; picture++) expect(shown.real[picture * shown.count]).toBe(1);
});

test('data sets are told apart by their contents, and an unknown one is refused with its kin', async () => {
  expect(await namesEntailmentData('scenes-entailment-pairs')).toBe(true);
  expect(await namesEntailmentData('scenes-statements')).toBe(false);
  const identities = await Promise.all(
    sceneEntailmentSets.map(async ({ name }) => JSON.stringify(await identifyEntailmentDataset(name))),
  );
  expect(new Set(identities).size).toBe(sceneEntailmentSets.length);
  const refused = 'pictures with statements that are true, false or not told: scenes-entailment,';
  await expect(identifyEntailmentDataset('scenes-entailments')).rejects.toThrow(refused);
  await expect(openEntailmentDataset('scenes-entailments', options)).rejects.toThrow(refused);
});
