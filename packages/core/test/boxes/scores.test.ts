import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { answerAccuracy, cocoScores, phraseRecall, precisionAt } from '../../src/index';

const shared =
  process.env['WINNOW_SHARED'] ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));
const fixture = join(shared, 'data', 'coco-eval');
const whenShared = existsSync(fixture) ? test : test.skip;

interface Entry {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: readonly [number, number, number, number];
  readonly area?: number;
  readonly iscrowd?: number;
  readonly score?: number;
}

const read = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(join(fixture, path), 'utf8'));

const table = (entries: readonly Entry[]) => ({
  image: entries.map(({ image_id }) => image_id),
  category: entries.map(({ category_id }) => category_id),
  boxes: entries.flatMap(({ bbox: [left, top, width, height] }) => [left, top, left + width, top + height]),
  area: entries.map(({ area = 0 }) => area),
  crowd: entries.map(({ iscrowd = 0 }) => iscrowd),
  score: entries.map(({ score = 0 }) => score),
});

whenShared('all twelve of COCO, as pycocotools gives them for 100 pictures', async () => {
  const truths = (await read('gts/sampled_gts_bbox_area.json')) as { annotations: Entry[] };
  const found = (await read('dets/sampled_bbox_results.json')) as { annotations: Entry[] };
  const scores = cocoScores(table(truths.annotations), table(found.annotations));
  const rounded = Object.fromEntries(
    Object.entries(scores).map(([name, value]: [string, number]) => [name, Number(value.toFixed(6))]),
  );
  expect(rounded).toEqual({
    ap: 0.503647,
    ap50: 0.696973,
    ap75: 0.571667,
    apSmall: 0.593252,
    apMedium: 0.557991,
    apLarge: 0.489363,
    ar1: 0.386813,
    ar10: 0.59368,
    ar100: 0.595353,
    arSmall: 0.654764,
    arMedium: 0.60313,
    arLarge: 0.553744,
  });
});

test('detections that are the truth have all that there is, in whatever order they come; none have nothing', () => {
  const entry = fc
    .record({
      image: fc.integer({ min: 1, max: 3 }),
      category: fc.integer({ min: 1, max: 2 }),
      cell: fc.integer({ min: 0, max: 8 }),
    })
    .map(({ image, category, cell }): Entry => ({
      image_id: image,
      category_id: category,
      bbox: [cell * 200, 0, 100, 120],
      area: 12_000,
      score: 0.5,
    }));
  const entries = fc.uniqueArray(entry, {
    minLength: 1,
    maxLength: 12,
    selector: ({ image_id, category_id, bbox }) => `${image_id}/${category_id}/${bbox[0]}`,
  });
  fc.assert(
    fc.property(entries, (all) => {
      const perfect = cocoScores(table(all), table(all.toReversed()));
      expect(perfect.ap).toBeCloseTo(1, 12);
      expect(perfect.apLarge).toBeCloseTo(1, 12);
      expect(perfect.apSmall).toBe(-1);
      expect(perfect.ar100).toBeCloseTo(1, 12);
      expect(cocoScores(table(all), table([])).ap).toBe(0);
    }),
    { numRuns: 30 },
  );
  expect(cocoScores(table([]), table([])).ap).toBe(-1);
});

test('a crowd is neither to be found nor used up', () => {
  const crowd: Entry = { image_id: 1, category_id: 1, bbox: [0, 0, 200, 200], area: 40_000, iscrowd: 1 };
  const one: Entry = { image_id: 1, category_id: 1, bbox: [500, 0, 100, 100], area: 10_000 };
  const inside = [10, 60, 110].map((left): Entry => ({
    image_id: 1,
    category_id: 1,
    bbox: [left, 10, 50, 50],
    score: 0.9,
  }));
  const hit: Entry = { ...one, score: 0.1 };
  expect(cocoScores(table([crowd, one]), table([...inside, hit])).ap).toBeCloseTo(1, 12);
  expect(cocoScores(table([one]), table([...inside, hit])).ap).toBeCloseTo(0.25, 12);
});

const near = [0, 0, 10, 10];
const far = [50, 50, 60, 60];

test('precision at k: one of the k best boxes is the target, and GIoU is stricter', () => {
  const loose = [0, 0, 10, 5.2]; // an IoU of .52 with the target, and as much GIoU
  const shifted = [0, 3.2, 10, 13.2]; // an IoU of .515
  const example = { boxes: [...far, ...loose], scores: [0.9, 0.4], target: near };
  expect(precisionAt([example], [1, 2])).toEqual([0, 100]);
  expect(precisionAt([{ boxes: shifted, scores: [1], target: near }], [1])).toEqual([100]);
  const corner = [1.7, 1.7, 11.7, 11.7];
  expect(precisionAt([{ boxes: corner, scores: [1], target: near }], [1])).toEqual([100]);
  expect(precisionAt([{ boxes: corner, scores: [1], target: near }], [1], 'giou')).toEqual([0]);
});

test('a phrase with two boxes: any of them, or the box around both', () => {
  const phrase = { boxes: near, scores: [1], truths: [...near, ...far], categories: ['things'] };
  const around = { ...phrase, boxes: [0, 0, 60, 60] };
  const without = { ...phrase, truths: [] };
  const recalls = (rule: 'any' | 'merged') => phraseRecall([phrase, around, without], [1], rule);
  expect(recalls('any').all).toEqual({ phrases: 2, recalls: [50], upperBound: 50 });
  expect(recalls('merged').byCategory.get('things')).toEqual({ phrases: 2, recalls: [50], upperBound: 50 });
  expect(phraseRecall([phrase], [1], 'any').all.recalls).toEqual([100]);
  expect(phraseRecall([phrase], [1], 'merged').all.recalls).toEqual([0]);
});

test('a question is answered when its type and its answer are right', () => {
  const accuracy = answerAccuracy(
    {
      types: [0, 0, 1, 1],
      answers: [1, 1, 5, 6],
      predictedTypes: [0, 1, 1, 1],
      predictedAnswers: [1, 1, 5, 5],
    },
    3,
  );
  expect(accuracy).toEqual({ all: 50, byType: [50, 50, Number.NaN] });
});
