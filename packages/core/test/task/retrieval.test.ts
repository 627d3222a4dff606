import { memory, tensor2d, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type HostTensor,
  type PairBatch,
  type Scores,
  disposeTree,
  evaluate,
  randomStream,
  retrieval,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { plainCrossEntropy } from '../operations/plain';
import { type Table, batchOf, table } from './pair-table';

const task = retrieval(table, { imageSize: 1, channels: 1 });
const pairwise = retrieval(table, { imageSize: 1, channels: 1, loss: 'sigmoid' });

/** Embeddings of one side, each with its group. */
interface Side {
  readonly embeddings: readonly (readonly number[])[];
  readonly groups: readonly number[];
}

const host = ({ embeddings }: Side): HostTensor => ({
  dtype: 'float32',
  shape: [embeddings.length, embeddings[0]?.length ?? 0],
  values: Float32Array.from(embeddings.flat()),
});

/** Scores all pictures and texts, given to the scorer in batches of so many pictures with their share of texts. */
async function scored(images: Side, texts: Side, batches: number): Promise<Scores> {
  const scorer = task.scorer();
  const part = (side: Side, batch: number): Side => {
    const length = Math.ceil(side.groups.length / batches);
    const [start, end] = [batch * length, (batch + 1) * length];
    return { embeddings: side.embeddings.slice(start, end), groups: side.groups.slice(start, end) };
  };
  for (let batch = 0; batch < batches; batch++) {
    const [some, others] = [part(images, batch), part(texts, batch)];
    scorer.add({ images: host(some), texts: host(others) }, batchOf(some.groups, others.groups));
  }
  return scorer.scores();
}

/** The definition, with the worst order of what is equal or not a number: an own one among the first `cutoff`? */
function plainRecall(queries: Side, others: Side, cutoff: number): number {
  const hits = queries.embeddings.filter((query, which) => {
    const ranked = others.embeddings
      .map((other, index) => {
        const cosine = other.reduce((sum, value, i) => sum + value * (query[i] ?? Number.NaN), 0);
        const own = others.groups[index] === queries.groups[which];
        return { own, cosine: Number.isNaN(cosine) ? (own ? -Infinity : Infinity) : cosine };
      })
      .sort((a, b) => b.cosine - a.cosine || Number(a.own) - Number(b.own));
    return ranked.slice(0, cutoff).some(({ own, cosine }) => own && cosine > -Infinity);
  });
  return (100 * hits.length) / queries.embeddings.length;
}

function plainScores(images: Side, texts: Side): Record<string, number> {
  const recalls = [1, 5, 10].flatMap((cutoff): [string, number][] => [
    [`textR${cutoff}`, plainRecall(images, texts, cutoff)],
    [`imageR${cutoff}`, plainRecall(texts, images, cutoff)],
  ]);
  const meanR = recalls.reduce((sum, [, recall]) => sum + recall, 0) / recalls.length;
  return { meanR, ...Object.fromEntries(recalls) };
}

function expectScores(actual: Scores, expected: Record<string, number>): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) expect(actual[name]).toBeCloseTo(value, 10);
}

/** Few directions of whole numbers, so that many are equal; some are not numbers. */
const sides = (most: number): fc.Arbitrary<Side> =>
  fc
    .array(
      fc.record({
        embedding: fc.array(fc.oneof({ weight: 19, arbitrary: fc.integer({ min: -2, max: 2 }) }, fc.constant(Number.NaN)), {
          minLength: 3,
          maxLength: 3,
        }), // prettier-ignore
        group: fc.integer({ min: 0, max: 5 }),
      }),
      { minLength: 1, maxLength: most },
    )
    .map((rows) => ({
      embeddings: rows.map(({ embedding }) => embedding),
      groups: rows.map(({ group }) => group),
    }));

describeOnEveryEngine('recall of retrieval', () => {
  it('is what ranking everything by hand gives', async () => {
    await fc.assert(
      fc.asyncProperty(sides(20), sides(30), async (images, texts) => {
        const before = memory().numTensors;
        expectScores(await scored(images, texts, 1), plainScores(images, texts));
        expect(memory().numTensors).toBe(before);
      }),
      { numRuns: 100 },
    );
  });

  it('is the same in batches, and for more queries than are compared at a time', async () => {
    const random = randomStream(1, 'sides');
    const side = (size: number, groupOf: (i: number) => number): Side => ({
      embeddings: Array.from({ length: size }, () => [0, 1, 2, 3].map(() => random.integer(9) - 4)),
      groups: Array.from({ length: size }, (_, i) => groupOf(i)),
    });
    const images = side(300, (i) => i);
    const texts = side(600, (i) => Math.floor(i / 2));
    // Half of the texts are like their picture.
    const taught: Side = {
      ...texts,
      embeddings: texts.embeddings.map((own, i) => (i % 2 ? own : (images.embeddings[i / 2] ?? own))),
    };
    const before = memory().numTensors;
    const expected = plainScores(images, taught);
    expect(expected['imageR10']).toBeGreaterThan(expected['imageR1'] ?? Infinity);
    expectScores(await scored(images, taught, 1), expected);
    expectScores(await scored(images, taught, 7), expected);
    expect(memory().numTensors).toBe(before);
  });

  it('is full for a model that knows all pairs, and nothing for one that says the same of all', async () => {
    const before = memory().numTensors;
    const groups = Array.from({ length: 12 }, (_, i) => i);
    async function* twoBatches() {
      yield Promise.resolve(batchOf(groups, groups));
    }
    const eye = groups.flatMap((row) => groups.map((column) => Number(row === column)));
    const tableOf = (values: number[]): Table => ({
      logits: tensor2d(values, [12, 12]),
      images: tensor2d(values, [12, 12]),
      texts: tensor2d(values, [12, 12]),
    });
    const scoresOf = async (values: number[]) => {
      const params = tableOf(values);
      const scores = await evaluate(task, params, twoBatches());
      disposeTree(params);
      return new Set(Object.values(scores));
    };
    expect(await scoresOf(eye)).toEqual(new Set([100]));
    expect(await scoresOf(eye.map(() => 0.5))).toEqual(new Set([0]));
    expect(memory().numTensors).toBe(before);
  });

  it('asks for embeddings', () => {
    const scorer = task.scorer();
    expect(() => {
      scorer.add({}, batchOf([1], [1]));
    }).toThrow(/no embeddings were predicted/);
  });

  it('gives no side without embeddings a tensor that stays', async () => {
    const before = memory().numTensors;
    const lonely: Side = { embeddings: [[1, 0]], groups: [0] };
    expectScores(
      await scored(lonely, { ...lonely, groups: [1] }, 1),
      plainScores(lonely, { ...lonely, groups: [1] }),
    );
    expect(memory().numTensors).toBe(before);
  });
});

describeOnEveryEngine('the contrastive loss', () => {
  const lossOf = (logits: readonly number[], batch: PairBatch): number =>
    tidy(() => {
      const matrix = tensor2d([...logits], [batch.size, batch.texts]);
      return task.loss({ logits: matrix }, batch).dataSync<'float32'>()[0] ?? Number.NaN;
    });

  it('is the mean cross-entropy of both directions, its targets evenly over the group', () => {
    const batches = fc.record({
      images: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 }),
      texts: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(batches, ({ images, texts, seed }) => {
        // Every group has one of each side at least.
        const [pictures, sentences] = [
          [0, 1, 2, 3, ...images],
          [0, 1, 2, 3, ...texts],
        ];
        const random = randomStream(seed, 'logits');
        const logits = pictures.flatMap(() => sentences.map(() => Math.fround(4 * random.normal())));
        const targets = (ones: readonly number[], others: readonly number[]) =>
          ones.flatMap((group) => {
            const right = others.filter((other) => other === group).length;
            return others.map((other) => (other === group ? 1 / right : 0));
          });
        const transposed = sentences.flatMap((_, column) =>
          pictures.map((_, row) => logits[row * sentences.length + column] ?? Number.NaN),
        );
        const [toText] = plainCrossEntropy(sentences.length, targets(pictures, sentences))(logits);
        const [toImage] = plainCrossEntropy(pictures.length, targets(sentences, pictures))(transposed);
        const expected = ((toText ?? Number.NaN) + (toImage ?? Number.NaN)) / 2;
        expect(lossOf(logits, batchOf(pictures, sentences))).toBeCloseTo(expected, 4);
      }),
      { numRuns: 40 },
    );
  });

  it.each([1, 2, 7, 64])(
    'of a model that says the same of all %i pairs is the logarithm of them',
    (pairs) => {
      const groups = Array.from({ length: pairs }, (_, i) => i);
      const before = memory().numTensors;
      expect(lossOf(new Array<number>(pairs * pairs).fill(3), batchOf(groups, groups))).toBeCloseTo(
        Math.log(pairs),
        5,
      );
      expect(memory().numTensors).toBe(before);
    },
  );

  it('bounds the temperature where pairs compete, and not where each is told by itself', () => {
    expect(task.limits).toEqual({ logitScale: Math.log(100) });
    expect(pairwise.limits).toBeUndefined();
  });

  it('is near 0 where all pairs are found', () => {
    const groups = [4, 9, 2];
    const logits = groups.flatMap((row) => groups.map((column) => (row === column ? 100 : 0)));
    expect(lossOf(logits, batchOf(groups, groups))).toBeCloseTo(0, 6);
  });
});
