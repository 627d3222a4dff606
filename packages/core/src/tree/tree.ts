import {
  type NamedTensorMap,
  type Tensor,
  type TensorContainer,
  dispose,
  keep,
  tidy,
} from '@tensorflow/tfjs-core';

/** Anything with a shape: a tensor, a parameter's specification, a host array. Records never use `shape` as a key. */
export interface Shaped {
  readonly shape: readonly number[];
}

/** A typed record of leaves: nested objects and arrays, with tensors (or anything shaped) at the ends. */
export type Tree<Leaf extends Shaped = Tensor> =
  Leaf | readonly Tree<Leaf>[] | { readonly [key: string]: Tree<Leaf> };

export type TensorTree = Tree;

function isLeaf<Leaf extends Shaped>(node: Tree<Leaf>): node is Leaf {
  return 'shape' in node;
}

function visit<Leaf extends Shaped>(
  node: Tree<Leaf>,
  path: string,
  onLeaf: (leaf: Leaf, path: string) => unknown,
): unknown {
  if (isLeaf(node)) return onLeaf(node, path);
  const below = (key: string) => (path === '' ? key : `${path}.${key}`);
  if (Array.isArray(node)) {
    return node.map((child: Tree<Leaf>, index) => visit(child, below(String(index)), onLeaf));
  }
  const visited: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(node))
    visited[key] = visit(child as Tree<Leaf>, below(key), onLeaf);
  return visited;
}

/** A tree of the same shape whose leaves are `f(leaf, path)`; paths read `blocks.0.attention.query.weight`. */
export function mapTree<T extends TensorTree>(tree: T, f: (leaf: Tensor, path: string) => Tensor): T {
  return visit<Tensor>(tree, '', f) as T;
}

/** Builds a tree of type `Out` from a tree of another leaf type with the same records: specifications → tensors. */
export function buildTree<Leaf extends Shaped, Out>(
  tree: Tree<Leaf>,
  f: (leaf: Leaf, path: string) => unknown,
): Out {
  return visit(tree, '', f) as Out;
}

/** A record with the same keys and `f` of each value; its type is the caller's word. */
export function mapRecord<Value, Out>(
  record: Readonly<Record<string, Value>>,
  f: (value: Value, key: string) => unknown,
): Out {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value, key)])) as Out;
}

/**
 * A tree without the leaves for which `f` gives nothing; records and lists stay, empty ones too. Its type is that of the
 * whole tree: only who knows what is missing may read it by path.
 */
export function pickTree<Leaf extends Shaped, T extends Tree<Leaf>>(
  tree: T & Tree<Leaf>,
  f: (leaf: Leaf, path: string) => Leaf | undefined,
): T {
  return withoutMissing(visit<Leaf>(tree, '', f)) as T;
}

function withoutMissing(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutMissing);
  if (typeof node !== 'object' || node === null || 'shape' in node) return node;
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, child]) =>
      child === undefined ? [] : [[key, withoutMissing(child)]],
    ),
  );
}

/** Leaves with their paths, in the order of the record's keys. */
export function entriesOf<Leaf extends Shaped = Tensor>(tree: Tree<Leaf>): [path: string, leaf: Leaf][] {
  const entries: [string, Leaf][] = [];
  collectEntries(tree, '', entries);
  return entries;
}

export function leavesOf<Leaf extends Shaped = Tensor>(tree: Tree<Leaf>): Leaf[] {
  const leaves: Leaf[] = [];
  collectLeaves(tree, leaves);
  return leaves;
}

// Apart from `visit`, as a training step asks for leaves a dozen times: no copy of the records, and no paths where
// nobody reads them.

function collectEntries<Leaf extends Shaped>(node: Tree<Leaf>, path: string, into: [string, Leaf][]): void {
  if (isLeaf(node)) {
    into.push([path, node]);
    return;
  }
  for (const [key, child] of Object.entries(node))
    collectEntries(child as Tree<Leaf>, path === '' ? key : `${path}.${key}`, into);
}

function collectLeaves<Leaf extends Shaped>(node: Tree<Leaf>, into: Leaf[]): void {
  if (isLeaf(node)) into.push(node);
  else for (const child of Object.values(node) as Tree<Leaf>[]) collectLeaves(child, into);
}

/**
 * A tree like `tree` with leaves taken from `leaves` in order: the inverse of `leavesOf`.
 * @throws {RangeError} when the number of leaves differs.
 */
export function withLeaves<T extends TensorTree>(tree: T, leaves: readonly Tensor[]): T {
  const count = leavesOf(tree).length;
  if (leaves.length !== count) throw new RangeError(`expected ${count} leaves, got ${leaves.length}`);
  let next = 0;
  return mapTree(tree, () => leaves[next++] as Tensor);
}

/** One tensor for each of the trees zipped. */
type Leaves<Trees extends readonly TensorTree[]> = { [Index in keyof Trees]: Tensor };

/**
 * Maps several trees of one shape together, leaf by leaf; the result is like the first.
 * @throws {TypeError} when the trees differ in their records.
 */
export function zipTrees<T extends TensorTree, Rest extends readonly TensorTree[]>(
  trees: readonly [T, ...Rest],
  f: (leaves: Leaves<[T, ...Rest]>, path: string) => Tensor,
): T {
  const [first, ...rest] = trees;
  const others = rest.map((tree) => lookup(entriesOf(tree)));
  return mapTree(first, (leaf, path) => {
    const leaves = others.map((other) => {
      const match = other(path);
      if (match === undefined) throw new TypeError(`trees differ: nothing at ${path}`);
      return match;
    });
    const all: readonly Tensor[] = [leaf, ...leaves];
    return f(all as Leaves<[T, ...Rest]>, path);
  });
}

/** Finds leaves by path: without a search as long as paths are asked for in the order of the entries. */
function lookup(entries: readonly [string, Tensor][]): (path: string) => Tensor | undefined {
  let next = 0;
  let byPath: Map<string, Tensor> | undefined;
  return (path) => {
    const entry = entries[next++];
    if (entry?.[0] === path) return entry[1];
    byPath ??= new Map(entries);
    return byPath.get(path);
  };
}

/**
 * Pairs several trees of one shape: one list of leaves per path, in the first tree's order.
 * @throws {TypeError} when the trees differ in their records.
 */
export function alignTrees<T extends TensorTree, Rest extends readonly TensorTree[]>(
  ...trees: readonly [T, ...Rest]
): { path: string; leaves: Leaves<[T, ...Rest]> }[] {
  const aligned: { path: string; leaves: Leaves<[T, ...Rest]> }[] = [];
  zipTrees<T, Rest>(trees, (leaves, path) => {
    aligned.push({ path, leaves });
    return leaves[0];
  });
  return aligned;
}

/** A copy with its own tensors: the caller owns both. */
export function cloneTree<T extends TensorTree>(tree: T): T {
  return mapTree(tree, (leaf) => leaf.clone());
}

/** Marks all leaves to survive the enclosing tidy. */
export function keepTree<T extends TensorTree>(tree: T): T {
  return mapTree(tree, (leaf) => keep(leaf));
}

/** `tidy` for a function whose result holds trees: their leaves survive, everything else made inside is disposed. */
export function tidyTree<Result>(f: () => Result): Result {
  return tidy(f as () => TensorContainer) as Result;
}

/** Lends a tree and disposes it afterwards, whether its use ends well or not. */
export async function lendTree<T extends TensorTree, Result>(
  tree: T,
  use: (tree: T) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(tree);
  } finally {
    disposeTree(tree);
  }
}

export function disposeTree(tree: TensorTree): void {
  dispose(leavesOf(tree));
}

/** A list of tensors as a kernel's inputs, by number: tfjs takes lists where its types ask for records. */
export const numbered = (tensors: readonly Tensor[]): NamedTensorMap => tensors as unknown as NamedTensorMap;
