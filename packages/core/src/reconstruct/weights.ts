import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { Matrix } from '../algebra/matrix';
import { type TensorTree, cloneTree, entriesOf, mapTree } from '../tree/tree';
import { hostMatrix } from './host';

/** Parameters of which some are replaced one after the other. */
export interface ChangingWeights {
  /** As they are now: lent until the next is replaced. */
  now(): TensorTree;
  has(path: string): boolean;
  /** Lent. @throws {RangeError} when there is none. */
  leaf(path: string): Tensor;
  /** In double precision; a vector is one row. @throws {RangeError} when there is none. */
  read(path: string): Promise<Matrix>;
  /** Takes over the tensor. */
  put(path: string, leaf: Tensor): void;
  /** Writes a matrix, or its one row where a vector stood. */
  write(path: string, matrix: Matrix): void;
  /** Copies that the caller owns. */
  copy(): TensorTree;
  dispose(): void;
}

/** @param params Stay the caller's. */
export function changingWeights(params: TensorTree): ChangingWeights {
  const given = new Map(entriesOf(params));
  const own = new Map<string, Tensor>();
  const leafAt = (path: string): Tensor => {
    const leaf = own.get(path) ?? given.get(path);
    if (leaf === undefined) throw new RangeError(`the model has no parameter ${path}`);
    return leaf;
  };
  const now = (): TensorTree => mapTree(params, (leaf, path) => own.get(path) ?? leaf);
  const put = (path: string, leaf: Tensor): void => {
    own.get(path)?.dispose();
    own.set(path, leaf);
  };
  return {
    now,
    put,
    leaf: leafAt,
    has: (path) => given.has(path),
    read: (path) => hostMatrix(leafAt(path)),
    write: (path, { rows, columns, values }) => {
      const shape = leafAt(path).rank === 1 ? [columns] : [rows, columns];
      put(path, tensor(Float32Array.from(values), shape, 'float32'));
    },
    copy: () => cloneTree(now()),
    dispose: () => {
      for (const leaf of own.values()) leaf.dispose();
    },
  };
}
