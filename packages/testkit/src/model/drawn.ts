import { type HostTensor, type Model, type TensorTree, initialize, mapTree, uploadTree } from '@winnow/core';

const drawn = new Map<string, ReadonlyMap<string, HostTensor>>();

/**
 * Fresh parameters, which the caller owns: those of `initialize`. Laws make the same few models thousands of times, so their values
 * are drawn once and kept.
 */
export function freshParams({ specs }: Pick<Model, 'specs'>, seed: number): TensorTree {
  const name = JSON.stringify([seed, specs]);
  const known = drawn.get(name);
  if (known !== undefined) return uploadTree<TensorTree>(specs, known);
  const params = initialize<TensorTree>(specs, seed);
  const values = new Map<string, HostTensor>();
  mapTree(params, (leaf, path) => {
    values.set(path, {
      dtype: 'float32',
      shape: leaf.shape,
      values: Float32Array.from(leaf.dataSync()),
    });
    return leaf;
  });
  drawn.set(name, values);
  return params;
}
