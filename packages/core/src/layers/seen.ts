import { type Tensor2D, keep } from '@tensorflow/tfjs-core';
import { type Observe, type ObservedRows, observeOnly } from './observe';

/** A tensor that passed a tap, [N, width]. */
export interface SeenTensor extends ObservedRows {
  readonly values: Tensor2D;
}

/** Tensors that passed some taps of a forward pass, kept until they are released. */
export interface SeenTaps {
  readonly observe: Observe;
  /** All that passed a tap: one entry, or more where a module is run more than once. @throws {RangeError} when nothing did. */
  at(tap: string): readonly SeenTensor[];
  release(): void;
}

/** Keeps what passes taps of a forward pass. */
export function seeTaps(taps: readonly string[]): SeenTaps {
  const seen = new Map(taps.map((tap): [string, SeenTensor[]] => [tap, []]));
  return {
    observe: observeOnly(taps, (path, values, { counted, ...rows } = {}) => {
      seen.get(path)?.push({
        ...rows,
        values: keep(values.clone()),
        ...(counted === undefined ? {} : { counted: keep(counted.clone()) }),
      });
    }),
    at: (tap) => {
      const found = seen.get(tap);
      if (found === undefined) throw new RangeError(`${tap} is not among the taps that are observed`);
      if (found.length === 0) throw new RangeError(`nothing passes the tap ${tap}`);
      return found;
    },
    release: () => {
      for (const { values, counted } of [...seen.values()].flat()) {
        values.dispose();
        counted?.dispose();
      }
    },
  };
}
