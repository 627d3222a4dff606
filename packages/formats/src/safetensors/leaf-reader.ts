import { type HostTensor, type TensorTree, downloadTensor, entriesOf } from '@winnow/core';

/** Fetches the tensors of a tree one by one, by path. */
export function leafReader(tree: TensorTree): (path: string) => Promise<HostTensor> {
  const leaves = new Map(entriesOf(tree));
  return async (path) => {
    const leaf = leaves.get(path);
    if (leaf === undefined) throw new RangeError(`expected a tensor ${path}, got none`);
    return downloadTensor(leaf, path);
  };
}
