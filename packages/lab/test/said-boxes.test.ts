import { type DetectedObjects, type GroundingBatch, cornersOf } from '@winnow/core';
import { wordTokenizer } from '@winnow/data';
import fc from 'fast-check';
import { detectionSaid, groundingSaid } from '../src/workload/said-boxes';

const SIDE = 8;
const tokenizer = wordTokenizer(['the red car']);
const data = { imageSize: SIDE, tokenizer, endToken: tokenizer.endToken };
const images = new Float32Array(SIDE * SIDE * 3);

/** Centred boxes within the picture, [N, 4]. */
const boxes = fc.array(
  fc
    .tuple(...[0, 1, 2, 3].map(() => fc.double({ min: 0.05, max: 0.95, noNaN: true })))
    .map(([x = 0, y = 0, w = 0, h = 0]) => {
      const [width, height] = [0.05 + 0.4 * w, 0.05 + 0.4 * h];
      return [width / 2 + x * (1 - width), height / 2 + y * (1 - height), width, height];
    }),
  { minLength: 1, maxLength: 5 },
);

const textBatch = (right: readonly number[][]): GroundingBatch => {
  const tokens = tokenizer.encode('the red car', 16);
  return {
    ...{ size: 1, images, texts: 1, tokens },
    objects: {
      boxes: Float32Array.from(right.flat()),
      examples: new Int32Array(right.length),
      tokens: right.map(() => Int32Array.of(1)),
    },
  };
};

/** Queries that say of each box how sure they are of it. */
const grounded = (queries: readonly number[][], sure: (query: number) => number) => ({
  logits: {
    ...{ dtype: 'float32', shape: [queries.length, 2] },
    values: Float32Array.from(queries.flatMap((_, query) => [sure(query), 0])),
  },
  boxes: {
    ...{ dtype: 'float32', shape: [queries.length, 4] },
    values: Float32Array.from(queries.flat()),
  },
});

describe('boxes of an MDETR', () => {
  it('are all found where the surest queries lie on what is right, and shown there', async () => {
    await fc.assert(
      fc.asyncProperty(boxes, boxes, async (right, others) => {
        const queries = [...others, ...right];
        const answer = grounded(queries, (query) => (query < others.length ? -5 : 5));
        const said = await groundingSaid(data)(answer, textBatch(right));
        expect(said).toMatchObject({
          asked: 'the red car',
          said: `${right.length} of ${right.length} found`,
        });
        const wanted = cornersOf(Float32Array.from(right.flat()));
        said.boxes?.right.forEach(({ box }, place) =>
          box.forEach((share, side) => expect(share).toBeCloseTo(wanted[4 * place + side] ?? Number.NaN, 5)),
        );
        expect(said.boxes?.found).toHaveLength(right.length);
      }),
      { numRuns: 30 },
    );
  });

  it('are elsewhere where nothing overlaps, and one is shown however unsure it is', async () => {
    const answer = grounded([[0.2, 0.2, 0.2, 0.2]], () => -4);
    const said = await groundingSaid(data)(answer, textBatch([[0.8, 0.8, 0.2, 0.2]]));
    expect(said).toMatchObject({ right: '1 box', said: '0 of 1 found, 1 box elsewhere' });
    expect(said.boxes?.found).toEqual([{ box: expect.any(Array) as number[], label: '2 %' }]);
  });
});

describe('boxes of a detector', () => {
  const batch = (classes: readonly number[], corners: readonly number[], crowds: readonly number[] = []) => ({
    images,
    truths: {
      sizes: [{ height: 100, width: 200 }],
      classes: Int32Array.from(classes),
      boxes: Float64Array.from(corners),
      crowds: Uint8Array.from(classes, (_, place) => crowds[place] ?? 0),
    },
  });
  const detected = (classes: readonly number[], corners: readonly number[], scores: readonly number[]) =>
    [
      {
        boxes: Float64Array.from(corners),
        classes: Int32Array.from(classes),
        scores: Float64Array.from(scores),
        isFinite: true,
      },
    ] satisfies DetectedObjects[];
  const told = detectionSaid(data, ['cat', 'dog']);

  it('count by class, each object once, and are shown in shares of the picture', async () => {
    const corners = [20, 10, 60, 50];
    const answer = detected([0, 0, 1], [...corners, ...corners, ...corners], [0.9, 0.8, 0.7]);
    const said = await told(answer, batch([0], corners));
    expect(said).toMatchObject({ right: '1 box', said: '1 of 1 found, 2 boxes elsewhere' });
    expect(said.boxes?.right).toEqual([{ box: [0.1, 0.1, 0.3, 0.5], label: 'cat' }]);
    expect(said.boxes?.found.map(({ label }) => label)).toEqual(['cat', 'cat', 'dog']);
  });

  it('leave out what is unsure, and crowds', async () => {
    const [here, there] = [
      [20, 10, 60, 50],
      [100, 10, 160, 90],
    ];
    const answer = detected([0, 1], [...here, ...there], [0.9, 0.2]);
    const said = await told(answer, batch([0, 1, 1], [...here, ...there, ...there], [0, 0, 1]));
    expect(said).toMatchObject({ right: '2 boxes', said: '1 of 2 found' });
    expect(said.boxes).toMatchObject({
      right: [{ label: 'cat' }, { label: 'dog' }],
      found: [{ label: 'cat' }],
    });
  });
});
