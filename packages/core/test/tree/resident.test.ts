import { type Tensor, memory, scalar, tidy } from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import { type Residence, leave, resident, residing } from '../../src/tree/resident';

beforeAll(async () => {
  await startEngine('wasm');
});

describe('a residence', () => {
  it('makes a constant once for several tidies, and disposes it when it is left', () => {
    const before = memory().numTensors;
    const residence: Residence = new Map();
    const key = {};
    let made = 0;
    const use = (): Tensor =>
      resident(key, () => {
        made += 1;
        return scalar(7);
      });
    for (let step = 0; step < 3; step++) {
      const value = residing(residence, () => tidy(() => use().dataSync()[0]));
      expect(value).toBe(7);
    }
    expect([made, memory().numTensors - before]).toEqual([1, 1]);
    leave(residence);
    expect(memory().numTensors).toBe(before);

    // Outside of one, every tidy makes its own.
    for (let step = 0; step < 2; step++)
      tidy(() => {
        use();
      });
    expect([made, memory().numTensors - before]).toEqual([3, 0]);
  });

  it('is left alone by work within another, also when that fails', () => {
    const [outer, inner]: Residence[] = [new Map(), new Map()];
    if (outer === undefined || inner === undefined) throw new Error('two residences');
    const key = {};
    residing(outer, () => {
      expect(() =>
        residing(inner, () => {
          resident(key, () => scalar(1));
          throw new Error('on purpose');
        }),
      ).toThrow('on purpose');
      expect([outer.size, inner.size]).toEqual([0, 1]);
      resident(key, () => scalar(2));
      expect([outer.size, inner.size]).toEqual([1, 1]);
    });
    leave(outer);
    leave(inner);
  });
});
