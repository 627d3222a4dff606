import { batchesAhead } from '../../src/train/ahead';

const large = 1 << 14;

interface Pictures {
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

const pictures = (): Pictures => ({ images: new Float32Array(large), labels: new Int32Array(large) });

/** Batches that are there at once, but for those that are to come later; what was asked for is kept. */
function source(later: (step: number) => Promise<Pictures> | undefined = () => undefined) {
  const asked: number[] = [];
  const made = new Map<number, Pictures>();
  return {
    asked,
    made,
    batches: {
      batchSize: 1,
      stepsPerEpoch: 10,
      at: (step: number) => {
        asked.push(step);
        const batch = pictures();
        made.set(step, batch);
        return later(step) ?? Promise.resolve(batch);
      },
    },
  };
}

/** An engine that uploads nothing and says what it holds. */
function stagingEngine() {
  const held = new Set<Float32Array>();
  return {
    held,
    stages: true,
    stage: (values: Float32Array) => {
      held.add(values);
      return () => held.delete(values);
    },
  };
}

describe('the batches of a training', () => {
  it('are asked for once each and in order, and the pictures of the next are uploaded where the engine can', async () => {
    const { asked, made, batches } = source();
    const engine = stagingEngine();
    const ahead = batchesAhead(batches, 3, () => engine);
    for (const step of [0, 1, 2]) {
      const batch = await ahead.at(step);
      expect(batch).toBe(made.get(step));
      await ahead.prepare(step + 1);
      const next = made.get(step + 1);
      expect([...engine.held]).toEqual(next === undefined ? [] : [next.images]);
    }
    expect(asked).toEqual([0, 1, 2]);
  });

  it('are only asked for in their steps by an engine that does not upload ahead', async () => {
    const { asked, batches } = source();
    const ahead = batchesAhead(batches, 3, () => ({ stages: false }));
    await ahead.at(0);
    await ahead.prepare(1);
    expect(asked).toEqual([0]);
  });

  it('hold nothing up while they have not come, and are then uploaded in their step', async () => {
    let come: (batch: Pictures) => void = () => undefined;
    const { batches } = source((step) =>
      step === 1 ? new Promise((resolve) => (come = resolve)) : undefined,
    );
    const engine = stagingEngine();
    const ahead = batchesAhead(batches, 3, () => engine);
    await ahead.at(0);
    await ahead.prepare(1);
    expect(engine.held.size).toBe(0);
    const late = pictures();
    come(late);
    expect(await ahead.at(1)).toBe(late);
  });

  it('fail in the step that needs them', async () => {
    const { batches } = source((step) =>
      step === 1 ? Promise.reject(new Error('a broken picture')) : undefined,
    );
    const ahead = batchesAhead(batches, 3, stagingEngine);
    await ahead.at(0);
    await ahead.prepare(1);
    await expect(ahead.at(1)).rejects.toThrow('a broken picture');
  });

  it('leave nothing behind when the training ends', async () => {
    const { batches } = source();
    const engine = stagingEngine();
    const ahead = batchesAhead(batches, 3, () => engine);
    await ahead.prepare(1);
    expect(engine.held.size).toBe(1);
    ahead.release();
    expect(engine.held.size).toBe(0);
  });
});
