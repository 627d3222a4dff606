import { type Tensor, gather, reshape, tensor1d } from '@tensorflow/tfjs-core';
import {
  type Model,
  type TensorTree,
  cloneTree,
  entriesOf,
  isOfHead,
  mapTree,
  pathWithin,
  permutation,
  randomStream,
} from '@winnow/core';

/** Ways to disturb the weights that a ticket starts from: not at all, within each tensor, or whole layers swapped. */
export const disturbances = ['none', 'within-tensors', 'whole-layers'] as const;
export type Disturbance = (typeof disturbances)[number];

/**
 * The backbone's parameters in a random order, the task's heads as they are: what remains of a ticket that matters for
 * where its weights stand (θ_0″). Call it in a tidy; the leaves are the caller's.
 */
export function disturbed(
  model: Pick<Model, 'sites' | 'readout'>,
  params: TensorTree,
  disturbance: Disturbance,
  seed: number,
): TensorTree {
  switch (disturbance) {
    case 'none':
      return cloneTree(params);
    case 'within-tensors':
      return shuffledWithin(model, params, seed);
    case 'whole-layers':
      return layersSwapped(model, params, seed);
    default:
      return disturbance satisfies never;
  }
}

function shuffledWithin(model: Pick<Model, 'readout'>, params: TensorTree, seed: number): TensorTree {
  return mapTree(params, (leaf, path) => {
    if (isOfHead(model, path)) return leaf.clone();
    const order = permutation(leaf.size, randomStream(seed, 'shuffled weights', path));
    return reshape(gather(reshape(leaf, [leaf.size]), tensor1d(order, 'int32')), leaf.shape);
  });
}

/** Blocks of a tower change places where all their parameters are of one shape; others stay. */
function layersSwapped(model: Pick<Model, 'sites'>, params: TensorTree, seed: number): TensorTree {
  const leaves = entriesOf<Tensor>(params);
  const source = new Map<string, Tensor>();
  for (const [key, blocks] of alikeBlocks(model, leaves)) {
    const order = permutation(blocks.length, randomStream(seed, 'swapped layers', key));
    blocks.forEach((block, place) => {
      const from = new Map(blocks[order[place] ?? 0]?.map(({ inBlock, leaf }) => [inBlock, leaf]));
      for (const { path, inBlock, leaf } of block) source.set(path, from.get(inBlock) ?? leaf);
    });
  }
  return mapTree(params, (leaf, path) => (source.get(path) ?? leaf).clone());
}

/** A parameter of a block. */
interface InBlock {
  readonly path: string;
  /** Its path within the block. */
  readonly inBlock: string;
  readonly leaf: Tensor;
}

/** The blocks of each tower, those of one geometry together. */
function alikeBlocks(
  { sites }: Pick<Model, 'sites'>,
  leaves: readonly (readonly [path: string, leaf: Tensor])[],
): Map<string, InBlock[][]> {
  const towers = new Map(
    sites.flatMap(({ block, tower }) => (block === undefined ? [] : [[block, tower] as const])),
  );
  const alike = new Map<string, InBlock[][]>();
  for (const [block, tower] of towers) {
    const own = leaves.flatMap(([path, leaf]): InBlock[] => {
      const inBlock = pathWithin(block, path);
      return inBlock === undefined ? [] : [{ path, inBlock, leaf }];
    });
    const shapes = own.map(({ inBlock, leaf }) => `.${inBlock}:${leaf.shape.join('x')}`);
    const key = `${tower} ${shapes.join(' ')}`;
    alike.set(key, [...(alike.get(key) ?? []), own]);
  }
  return alike;
}
