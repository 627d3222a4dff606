import fc from 'fast-check';
import {
  type Augmentation,
  type BatchSource,
  type Dataset,
  evaluationBatches,
  trainingBatches,
} from '../../src/index';

type Requested = { indices: readonly number[]; augmentation: Augmentation | undefined };

/** A dataset whose batches are what was asked for. */
const indexed = (size: number): Dataset<Requested> => ({
  size,
  batch: (indices, augmentation) => Promise.resolve({ indices, augmentation }),
});

async function indicesOf(source: BatchSource<Requested>, from: number, to: number): Promise<number[][]> {
  const batches: number[][] = [];
  for (let step = from; step < to; step++) batches.push([...(await source.at(step)).indices]);
  return batches;
}

const sizes = fc.integer({ min: 1, max: 40 });

describe('training batches', () => {
  it('follow the order of a dataset that has one of its own', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), async (size, batchSize, seed) => {
        const asked: string[] = [];
        const order = (epoch: { readonly seed: number; readonly epoch: number }): Int32Array => {
          asked.push(`${epoch.seed} ${epoch.epoch}`);
          return Int32Array.from({ length: size }, (_, place) => (place + epoch.epoch) % size);
        };
        const source = trainingBatches(
          { ...indexed(size), order },
          { batchSize, seed, augment: true, prefetch: 0 },
        );
        for (const epoch of [0, 1]) {
          const start = epoch * source.stepsPerEpoch;
          const seen = (await indicesOf(source, start, start + source.stepsPerEpoch)).flat();
          expect(seen).toEqual(seen.map((_, place) => (place + epoch) % size));
        }
        expect(asked).toEqual([`${seed} 0`, `${seed} 1`]);
      }),
    );
  });

  it('show every example at most once an epoch, all of them when the batches fit', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), async (size, batchSize, seed) => {
        const source = trainingBatches(indexed(size), { batchSize, seed, augment: false });
        expect(source.batchSize).toBe(Math.min(size, batchSize));
        expect(source.stepsPerEpoch).toBe(Math.floor(size / source.batchSize));
        for (const epoch of [0, 1, 2]) {
          const start = epoch * source.stepsPerEpoch;
          const seen = (await indicesOf(source, start, start + source.stepsPerEpoch)).flat();
          expect(seen).toHaveLength(source.stepsPerEpoch * source.batchSize);
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen.every((index) => index >= 0 && index < size)).toBe(true);
        }
      }),
    );
  });

  it('come in the same order for the same seed, from any step on, whatever is prefetched', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), fc.nat(20), async (size, batchSize, seed, from) => {
        const options = { batchSize, seed, augment: false };
        const whole = await indicesOf(trainingBatches(indexed(size), options), 0, 24);
        const rest = await indicesOf(trainingBatches(indexed(size), { ...options, prefetch: 0 }), from, 24);
        expect(rest).toEqual(whole.slice(from));
      }),
    );
  });

  it('change with the epoch and with the seed', async () => {
    const orderOf = async (seed: number, epoch: number) =>
      (
        await indicesOf(
          trainingBatches(indexed(32), { batchSize: 8, seed, augment: false }),
          4 * epoch,
          4 * epoch + 4,
        )
      ).flat();
    const [first, second, other] = [await orderOf(1, 0), await orderOf(1, 1), await orderOf(2, 0)];
    expect(second).not.toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('say which augmentation, when one is wanted', async () => {
    const options = { batchSize: 4, seed: 9 };
    const augmented = trainingBatches(indexed(8), { ...options, augment: true });
    expect((await augmented.at(1)).augmentation).toEqual({ seed: 9, epoch: 0 });
    expect((await augmented.at(2)).augmentation).toEqual({ seed: 9, epoch: 1 });
    const plain = trainingBatches(indexed(8), { ...options, augment: false });
    expect((await plain.at(0)).augmentation).toBeUndefined();
  });

  it('prepare as many batches ahead as asked, each once', async () => {
    const requested: string[] = [];
    const dataset: Dataset<string> = {
      size: 10,
      batch: (indices) => {
        requested.push(indices.join());
        return Promise.resolve(indices.join());
      },
    };
    const source = trainingBatches(dataset, { batchSize: 2, seed: 1, augment: false, prefetch: 3 });
    await source.at(0);
    expect(requested).toHaveLength(4);
    const given = [await source.at(1), await source.at(2)];
    expect(requested).toHaveLength(6);
    expect(given).toEqual(requested.slice(1, 3));
  });

  it('report an unreadable batch at its own step', async () => {
    let asked = 0;
    const dataset: Dataset<number> = {
      size: 10,
      batch: () => (++asked === 3 ? Promise.reject(new Error('truncated')) : Promise.resolve(asked)),
    };
    const source = trainingBatches(dataset, { batchSize: 2, seed: 1, augment: false });
    expect(await source.at(0)).toBe(1);
    expect(await source.at(1)).toBe(2);
    await expect(source.at(2)).rejects.toThrow('truncated');
  });

  it('refuse an empty dataset and impossible batch sizes', () => {
    const options = { seed: 1, augment: false };
    expect(() => trainingBatches(indexed(0), { ...options, batchSize: 2 })).toThrow(/has no examples/);
    for (const batchSize of [0, -1, 1.5, Number.NaN]) {
      expect(() => trainingBatches(indexed(3), { ...options, batchSize })).toThrow(
        /positive integer batch size/,
      );
    }
  });
});

describe('evaluation batches', () => {
  it('show every example once, in order, without augmentation', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(20), sizes, async (size, batchSize) => {
        const seen: number[] = [];
        for await (const { indices, augmentation } of evaluationBatches(indexed(size), batchSize)) {
          expect(indices.length).toBeLessThanOrEqual(batchSize);
          expect(augmentation).toBeUndefined();
          seen.push(...indices);
        }
        expect(seen).toEqual(Array.from({ length: size }, (_, index) => index));
      }),
    );
  });
});
