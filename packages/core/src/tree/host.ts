import { type Tensor, dispose, tensor } from '@tensorflow/tfjs-core';
import { type Shaped, type TensorTree, type Tree, buildTree, entriesOf } from './tree';

/** A tensor's values in host memory, row-major. */
export type HostTensor =
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | { readonly dtype: 'int32'; readonly shape: readonly number[]; readonly values: Int32Array };

/** Named tensors in host memory: what files hold. Names are paths of a tree. */
export type HostTensors = ReadonlyMap<string, HostTensor>;

/** Named tensors, in host memory or uploaded already. */
export type NamedTensors = ReadonlyMap<string, HostTensor | Tensor>;

/** Copies a tree to host memory, by path, with `prefix` before every path. */
export async function downloadTree(tree: TensorTree, prefix = ''): Promise<Map<string, HostTensor>> {
  const entries = entriesOf(tree).map(async ([path, leaf]): Promise<[string, HostTensor]> => {
    const name = prefix + path;
    return [name, await downloadTensor(leaf, name)];
  });
  return new Map(await Promise.all(entries));
}

/**
 * Copies one tensor to host memory: of a large tree, not all need be there at once.
 * @throws {TypeError} beginning with `name`, for anything but float32 and int32.
 */
export async function downloadTensor(tensor: Tensor, name: string): Promise<HostTensor> {
  const values = await tensor.data<'float32' | 'int32'>();
  const shape = [...tensor.shape];
  if (values instanceof Float32Array) return { dtype: 'float32', shape, values };
  if (values instanceof Int32Array) return { dtype: 'int32', shape, values };
  throw new TypeError(`${name}: expected float32 or int32, got ${tensor.dtype}`);
}

/**
 * Copies tensors from host memory as they come, so that one of them need be there at a time. The caller owns them; when
 * one fails to come, none are left.
 */
export async function uploadEach(
  tensors: AsyncIterable<readonly [name: string, tensor: HostTensor]>,
): Promise<Map<string, Tensor>> {
  const uploaded = new Map<string, Tensor>();
  try {
    for await (const [name, host] of tensors) uploaded.set(name, uploadTensor(host));
    return uploaded;
  } catch (error) {
    dispose([...uploaded.values()]);
    throw error;
  }
}

const uploadTensor = ({ values, shape, dtype }: HostTensor): Tensor => tensor(values, [...shape], dtype);

/** Lists what is wrong with a set of named tensors, seen from the tree they should fill; one line per tensor. */
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
 * A tree like `like`, filled from named tensors (paths after `prefix`; others are left alone). `like` may also be a
 * model's specifications: nothing needs to be allocated to load it. Tensors that were uploaded already are passed on.
 * @throws {RangeError} listing missing, extra and misshapen tensors.
 */
export function uploadTree<T extends TensorTree>(like: T, tensors: NamedTensors, prefix?: string): T;
export function uploadTree<Params>(like: Tree<Shaped>, tensors: NamedTensors, prefix?: string): Params;
export function uploadTree(like: Tree<Shaped>, tensors: NamedTensors, prefix = ''): unknown {
  const own = new Map(
    [...tensors].flatMap(([name, found]): [string, HostTensor | Tensor][] =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), found]] : [],
    ),
  );
  const wrong = mismatches(entriesOf(like), own);
  if (wrong.length > 0) throw new RangeError(`the tensors do not fit the model:\n  ${wrong.join('\n  ')}`);
  return buildTree(like, (leaf, path) => {
    const found = own.get(path);
    if (found === undefined) return leaf;
    return 'values' in found ? uploadTensor(found) : found;
  });
}
