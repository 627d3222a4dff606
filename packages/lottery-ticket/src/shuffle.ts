import { type Tensor, gather, reshape, tensor1d } from '@tensorflow/tfjs-core';
import {
  type Model,
  type TensorTree,
  cloneTree,
  entriesOf,
  mapTree,
  permutation,
  randomStream,
} from '@winnow/core';

/** How the weights that a ticket starts from are disturbed: not at all, within each tensor, or whole layers swapped. */
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

/** Whether a path belongs to the task and not to the backbone. */
export const isHead = ({ readout }: Pick<Model, 'readout'>, path: string): boolean =>
  readout.heads.includes(path.split('.')[0] ?? '');

function shuffledWithin(model: Pick<Model, 'readout'>, params: TensorTree, seed: number): TensorTree {
  return mapTree(params, (leaf, path) => {
    if (isHead(model, path)) return leaf.clone();
    const order = permutation(leaf.size, randomStream(seed, 'shuffled weights', path));
    return reshape(gather(reshape(leaf, [leaf.size]), tensor1d(order, 'int32')), leaf.shape);
  });
}

/** Layers of a tower change places where all their parameters are of one shape; others stay. */
function layersSwapped(model: Pick<Model, 'sites'>, params: TensorTree, seed: number): TensorTree {
  const leaves = new Map(entriesOf<Tensor>(params));
  const source = new Map<string, string>();
  for (const [key, layers] of alikeLayers(model, leaves)) {
    const order = permutation(layers.length, randomStream(seed, 'swapped layers', key));
    layers.forEach((layer, place) => {
      const from = layers[order[place] ?? 0];
      if (from !== undefined) source.set(layer, from);
    });
  }
  return mapTree(params, (leaf, path) => {
    const [, layer, rest] = /^(.*\bblocks\.\d+)\.(.*)$/.exec(path) ?? [];
    const from = layer === undefined ? undefined : source.get(layer);
    return (from === undefined ? leaf : (leaves.get(`${from}.${rest}`) ?? leaf)).clone();
  });
}

/** Paths of the layers of each tower, those of one geometry together. */
function alikeLayers(
  { sites }: Pick<Model, 'sites'>,
  leaves: ReadonlyMap<string, Tensor>,
): Map<string, string[]> {
  const alike = new Map<string, string[]>();
  for (const { id, tower } of sites.filter(({ structure }) => structure === 'attention')) {
    const layer = id.slice(0, id.lastIndexOf('.'));
    const shapes = [...leaves].flatMap(([path, { shape }]) =>
      path.startsWith(`${layer}.`) ? [`${path.slice(layer.length)}:${shape.join('x')}`] : [],
    );
    const key = `${tower} ${shapes.join(' ')}`;
    alike.set(key, [...(alike.get(key) ?? []), layer]);
  }
  return alike;
}
