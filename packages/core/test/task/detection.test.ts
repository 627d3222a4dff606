import {
  type Scalar,
  type Tensor,
  type Tensor2D,
  concat,
  fill,
  grads,
  memory,
  ones,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import {
  type DetectionBatch,
  type DetectionPrompt,
  type Regions,
  type TensorTree,
  boxCode,
  boxFromCode,
  centredOf,
  cornersOf,
  detectedObjects,
  detection,
  randomStream,
  regionAnchors,
} from '../../src/index';
import { decodedBoxes, detectionLoss, positiveRegions } from '../../src/task/detection-loss';
import { detectionScorer } from '../../src/task/detection-scorer';

beforeAll(async () => {
  await startEngine('wasm');
});

const SIDE = 32;
const anchors = regionAnchors(
  [
    { rows: 8, columns: 8, stride: 4 },
    { rows: 4, columns: 4, stride: 8 },
  ],
  3,
);
const N = 64 + 16;
const places = { anchors, height: SIDE, width: SIDE };
const T = 5;
/** Start, two words of class 0, one of class 1, end. */
const prompt: DetectionPrompt = {
  tokens: Int32Array.of(0, 1, 2, 3, 9),
  named: [
    { index: 0, places: Int32Array.of(1, 2) },
    { index: 1, places: Int32Array.of(3) },
  ],
};

const objectsOf = (
  boxes: readonly (readonly number[])[],
  classes: readonly number[],
  examples: number[],
) => ({
  boxes: Float32Array.from([...centredOf(boxes.flat())].map((value) => value / SIDE)),
  examples: Int32Array.from(examples),
  tokens: classes.map((index) => prompt.named[index]?.places ?? new Int32Array()),
});

const noObjects = { boxes: new Float32Array(), examples: new Int32Array(), tokens: [] };
const valueOf = (loss: Scalar): number => loss.dataSync()[0] ?? Number.NaN;

/** Regions of two pictures, drawn from a seed. To be called in a tidy. */
function drawn(seed: number): Regions {
  const random = randomStream(seed, 'regions');
  const matrix = (columns: number): Tensor2D =>
    tensor2d(
      Float32Array.from({ length: 2 * N * columns }, () => random.normal()),
      [2 * N, columns],
    );
  return { logits: matrix(T), codes: matrix(4), centerness: matrix(1), read: ones([2, T]) };
}

test('codes with a gradient mean the same boxes as plain ones', () => {
  const code = fc.tuple(...Array.from({ length: 4 }, () => fc.double({ min: -30, max: 30, noNaN: true })));
  fc.assert(
    fc.property(code, fc.integer({ min: 0, max: N - 1 }), (own, region) => {
      tidy(() => {
        const anchor = anchors.boxes.subarray(region * 4, (region + 1) * 4);
        const centred = decodedBoxes(
          tensor2d(own, [1, 4]),
          tensor2d(Float32Array.from(centredOf(anchor)), [1, 4]),
        ).dataSync();
        const expected = boxFromCode(own, anchor);
        cornersOf([...centred]).forEach((value, side) =>
          expect(value / SIDE).toBeCloseTo((expected[side] ?? Number.NaN) / SIDE, 3),
        );
      });
    }),
    { numRuns: 20 },
  );
});

describe('the loss', () => {
  const boxes = [
    [3, 4, 15, 15],
    [16, 14, 30, 31],
  ];
  const objects = objectsOf(boxes, [0, 1], [0, 1]);

  test('regions get objects of their own picture, whose centre they are within', () => {
    const { rows, objects: owners, centerness } = positiveRegions(objects, 2, places);
    expect(new Set(owners)).toEqual(new Set([0, 1]));
    rows.forEach((row, place) => expect(Math.floor(row / N)).toBe(owners[place]));
    for (const near of centerness) expect(near > 0 && near <= 1).toBe(true);
  });

  test('padding of the texts does not change it', () => {
    tidy(() => {
      const { logits, ...rest } = drawn(1);
      const padded = concat([logits, fill([2 * N, 3], 7)], 1) as Tensor2D;
      const read = concat([rest.read, fill([2, 3], 0)], 1) as Tensor2D;
      const plain = detectionLoss({ ...rest, logits }, objects, places);
      const other = detectionLoss({ ...rest, logits: padded, read }, objects, places);
      expect(valueOf(other)).toBeCloseTo(valueOf(plain), 4);
    });
  });

  test('what is right costs next to nothing, and less than anything else', () => {
    tidy(() => {
      const { rows, objects: owners, centerness } = positiveRegions(objects, 2, places);
      const logits = new Float32Array(2 * N * T).fill(-12);
      const [codes, near] = [new Float32Array(2 * N * 4), new Float32Array(2 * N)];
      rows.forEach((row, place) => {
        const own = owners[place] ?? 0;
        for (const token of objects.tokens[own] ?? []) logits[row * T + token] = 12;
        const region = row % N;
        codes.set(boxCode(boxes[own] ?? [], anchors.boxes.subarray(region * 4, (region + 1) * 4)), row * 4);
        const share = centerness[place] ?? 0;
        near[row] = Math.log(share / (1 - share + 1e-7));
      });
      const right: Regions = {
        logits: tensor2d(logits, [2 * N, T]),
        codes: tensor2d(codes, [2 * N, 4]),
        centerness: tensor2d(near, [2 * N, 1]),
        read: ones([2, T]),
      };
      const loss = valueOf(detectionLoss(right, objects, places));
      // Centerness between 0 and 1 has an entropy.
      const entropy =
        centerness.reduce(
          (sum, share) => sum - share * Math.log(share) - (share < 1 ? (1 - share) * Math.log(1 - share) : 0),
          0,
        ) / rows.length;
      expect(loss).toBeCloseTo(entropy, 2);
      expect(loss).toBeLessThan(valueOf(detectionLoss(drawn(2), objects, places)));
    });
  });

  test.each([
    ['with objects', objects],
    ['without any', noObjects],
  ])('all that is predicted has a finite gradient, %s', (_, given) => {
    tidy(() => {
      const { read, ...told } = drawn(5);
      const names = Object.keys(told);
      const gradients = grads((...tensors: Tensor[]) =>
        detectionLoss(
          { ...told, read, ...Object.fromEntries(names.map((name, at) => [name, tensors[at] ?? read])) },
          given,
          places,
        ),
      )(Object.values(told));
      names.forEach((name, at) => {
        const largest = Math.max(...[...(gradients[at]?.dataSync() ?? [])].map(Math.abs));
        expect(Number.isFinite(largest)).toBe(true);
        expect(largest > 0).toBe(given === objects || name === 'logits');
      });
    });
  });
});

/** Regions of a picture that find boxes of classes, and nothing else. */
function finding(found: readonly { box: number[]; index: number; region: number; logit?: number }[]) {
  const logits = new Float32Array(N * T).fill(-9);
  const [codes, centerness] = [new Float32Array(N * 4), new Float32Array(N).fill(4)];
  for (const { box, index, region, logit = 4 } of found) {
    for (const place of prompt.named[index]?.places ?? []) logits[region * T + place] = logit;
    codes.set(boxCode(box, anchors.boxes.subarray(region * 4, (region + 1) * 4)), region * 4);
  }
  return { prompt, logits, codes, centerness };
}

describe('what is found', () => {
  const size = { height: 64, width: 320 };

  test('boxes in pixels of the annotated picture, within it, the surest first', () => {
    const told = finding([
      { box: [4, 4, 12, 12], index: 1, region: 9, logit: 2 },
      { box: [-8, 16, 16, 40], index: 0, region: 72 },
    ]);
    const { boxes, classes, scores, isFinite } = detectedObjects([told], places, size);
    expect([...classes]).toEqual([0, 1]);
    const expected = [0, 32, 160, 64, 40, 8, 120, 24];
    boxes.forEach((value, at) => expect(value).toBeCloseTo(expected[at] ?? Number.NaN, 3));
    const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));
    expect(scores[1]).toBeCloseTo(Math.sqrt(sigmoid(2) * sigmoid(4)), 5);
    expect(isFinite).toBe(true);
  });

  test('of boxes that cover each other the surest of a class stays', () => {
    const box = [4, 4, 16, 16];
    const told = finding([
      { box, index: 0, region: 9, logit: 1 },
      { box, index: 0, region: 10, logit: 3 },
      { box, index: 1, region: 11, logit: 2 },
    ]);
    expect([...detectedObjects([told], places, size).classes]).toEqual([0, 1]);
  });

  test('a class is as likely as its words are on average, and not looked at below 0.05', () => {
    const told = finding([]);
    told.logits[3 * T + 1] = 9; // one of two words
    told.logits[4 * T + 3] = Math.log(0.04 / 0.96);
    const { classes, scores } = detectedObjects([told], places, size);
    expect([...classes]).toEqual([0]);
    expect(scores[0]).toBeCloseTo(Math.sqrt((0.5 * 1) / (1 + Math.exp(-4))), 2);
  });

  test('what several prompts find is what one finds', () => {
    const found = [
      { box: [4, 4, 12, 12], index: 0, region: 9 },
      { box: [20, 20, 30, 30], index: 1, region: 40 },
    ];
    const parts = [0, 1].map((index) => ({
      ...finding(found),
      prompt: { ...prompt, named: prompt.named.filter((own) => own.index === index) },
    }));
    expect(detectedObjects(parts, places, size)).toEqual(detectedObjects([finding(found)], places, size));
  });

  test('of what is no number nothing is found, and it says so', () => {
    const told = finding([{ box: [4, 4, 12, 12], index: 0, region: 9 }]);
    told.codes[0] = Number.NaN;
    const { classes, isFinite } = detectedObjects([told], places, size);
    expect([classes.length, isFinite]).toEqual([0, false]);
  });
});

const truthsOf = (boxes: number[][], classes: number[]): DetectionBatch['truths'] => ({
  sizes: [{ height: SIDE, width: SIDE }],
  examples: Int32Array.from(classes, () => 0),
  classes: Int32Array.from(classes),
  boxes: Float64Array.from(boxes.flat()),
  areas: Float64Array.from(boxes, ([l = 0, t = 0, r = 0, b = 0]) => (r - l) * (b - t)),
  crowds: new Uint8Array(classes.length),
});

const batchOf = (truths: DetectionBatch['truths']): DetectionBatch => ({
  size: 1,
  images: new Float32Array(SIDE * SIDE * 3),
  texts: 1,
  tokens: prompt.tokens,
  objects: noObjects,
  truths,
});

test('scores are COCO’s in percent, of pictures that keep apart', async () => {
  const scorer = detectionScorer();
  const [box, other] = [
    [4, 4, 12, 12],
    [16, 16, 30, 30],
  ];
  const found = (boxes: number[][]) => ({
    boxes: Float64Array.from(boxes.flat()),
    classes: new Int32Array(boxes.length),
    scores: Float64Array.from(boxes, () => 0.9),
    isFinite: true,
  });
  await scorer.add([found([box])], batchOf(truthsOf([box], [0])));
  // The other picture's box is no answer here.
  await scorer.add([found([box])], batchOf(truthsOf([other], [0])));
  const scores = await scorer.scores();
  expect(Object.keys(scores)).toHaveLength(12);
  expect(scores['ar100']).toBeCloseTo(50);
  expect(scores['ap50']).toBeCloseTo((100 * 51) / 101);
  expect(scores['apLarge']).toBe(-1);
});

test('the task asks for all classes by its own prompts, and leaves no tensors behind', async () => {
  const asked: number[][] = [];
  const box = [4, 4, 12, 12];
  const { logits, codes, centerness } = finding([{ box, index: 0, region: 9 }]);
  const model = {
    forward: (_: TensorTree, { tokens }: { tokens: Tensor2D }): Regions => {
      asked.push([...tokens.dataSync()]);
      return {
        logits: tensor2d(logits, [N, T]),
        codes: tensor2d(codes, [N, 4]),
        centerness: tensor2d(centerness, [N, 1]),
        read: ones([1, T]),
      };
    },
  };
  const prompts = prompt.named.map((own, at) => ({
    tokens: Int32Array.of(0, 1, 2, 3, 8 + at),
    named: [own],
  }));
  const task = detection(model, { imageSize: SIDE, channels: 3, anchors, prompts });
  const before = memory().numTensors;
  const answer = await task.answer?.({}, batchOf(truthsOf([box], [0])));
  expect(memory().numTensors).toBe(before);
  expect(asked).toEqual(prompts.map(({ tokens }) => [...tokens]));
  expect([...(answer?.[0]?.classes ?? [])]).toEqual([0]);
  const scorer = task.scorer();
  await scorer.add(answer ?? [], batchOf(truthsOf([box], [0])));
  expect((await scorer.scores())[task.metric]).toBeCloseTo(100);
});

test('a divergence is symmetric, 0 of equal predictions, and blind for padding', () => {
  tidy(() => {
    const task = detection(
      { forward: () => drawn(1) },
      { imageSize: SIDE, channels: 3, anchors, prompts: [] },
    );
    const [one, two] = [drawn(1), drawn(2)];
    const batch = batchOf(truthsOf([], []));
    const apart = valueOf(task.divergence(one, two, batch));
    expect(apart).toBeGreaterThan(0);
    expect(valueOf(task.divergence(two, one, batch))).toBeCloseTo(apart, 3);
    expect(valueOf(task.divergence(one, one, batch))).toBe(0);
    const read = tensor2d([1, 1, 1, 1, 0, 1, 1, 1, 1, 0], [2, T]);
    const other = concat([one.logits.slice([0, 0], [2 * N, T - 1]), fill([2 * N, 1], 5)], 1) as Tensor2D;
    expect(valueOf(task.divergence({ ...one, read }, { ...one, read, logits: other }, batch))).toBe(0);
  });
});
