import { tensor } from '@tensorflow/tfjs-core';
import type { ParameterSpec } from '../transformer/parameter';
import { type Shaped, type TensorTree, type Tree, buildTree, entriesOf } from './tree';

/** A tensor's values in host memory, row-major. */
export type HostTensor =
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | { readonly dtype: 'int32'; readonly shape: readonly number[]; readonly values: Int32Array };

/** Named tensors in host memory: what files hold. Names are paths of a tree. */
export type HostTensors = ReadonlyMap<string, HostTensor>;

/** Copies a tree to host memory, by path, with `prefix` before every path. */
export async function downloadTree(tree: TensorTree, prefix = ''): Promise<Map<string, HostTensor>> {
  const entries = entriesOf(tree).map(async ([path, leaf]): Promise<[string, HostTensor]> => {
    const values = await leaf.data<'float32' | 'int32'>();
    const shape = [...leaf.shape];
    if (values instanceof Float32Array) return [prefix + path, { dtype: 'float32', shape, values }];
    if (values instanceof Int32Array) return [prefix + path, { dtype: 'int32', shape, values }];
    throw new TypeError(`${prefix + path}: expected float32 or int32, got ${leaf.dtype}`);
  });
  return new Map(await Promise.all(entries));
}

/** What is wrong with a set of named tensors, seen from the tree they should fill; one line per tensor. */
export function mismatches<Leaf extends Shaped>(
  expected: readonly (readonly [path: string, leaf: Leaf])[],
  tensors: ReadonlyMap<string, Shaped>,
): string[] {
  const show = ({ shape }: Shaped) => `[${shape.join(', ')}]`;
  const names = new Set(expected.map(([path]) => path));
  const wrong = expected.flatMap(([path, leaf]) => {
    const found = tensors.get(path);
    if (found === undefined) return [`missing ${path} ${show(leaf)}`];
    return show(found) === show(leaf) ? [] : [`${path}: expected ${show(leaf)}, got ${show(found)}`];
  });
  const extra = [...tensors]
    .filter(([path]) => !names.has(path))
    .map(([path, leaf]) => `extra ${path} ${show(leaf)}`);
  return [...wrong, ...extra];
}

/**
 * A tree like `like`, filled from named host tensors (paths after `prefix`; others are left alone). `like` may also be a
 * model's specifications: nothing needs to be allocated to load it.
 * @throws {RangeError} listing missing, extra and misshapen tensors.
 */
export function uploadTree<T extends TensorTree>(like: T, tensors: HostTensors, prefix?: string): T;
export function uploadTree<Params>(like: Tree<ParameterSpec>, tensors: HostTensors, prefix?: string): Params;
export function uploadTree(like: Tree<Shaped>, tensors: HostTensors, prefix = ''): unknown {
  const own = new Map(
    [...tensors].flatMap(([name, host]): [string, HostTensor][] =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), host]] : [],
    ),
  );
  const wrong = mismatches(entriesOf(like), own);
  if (wrong.length > 0) throw new RangeError(`the tensors do not fit the model:\n  ${wrong.join('\n  ')}`);
  return buildTree(like, (leaf, path) => {
    const host = own.get(path);
    return host === undefined ? leaf : tensor(host.values, [...host.shape], host.dtype);
  });
}
