import { type HostTensors, downloadTensor } from './host';
import { type TensorTree, entriesOf } from './tree';

/** The first tensor in host memory that holds NaN or infinity, as `blocks.0.ffn.expand.weight holds NaN`. */
export function nonFiniteTensor(tensors: HostTensors): string | undefined {
  for (const [name, { values }] of tensors) {
    // In double precision no sum of float32 overflows.
    let sum = 0;
    for (const value of values) sum += value;
    if (!Number.isFinite(sum)) return `${name} holds ${values.find((value) => !Number.isFinite(value))}`;
  }
  return undefined;
}

/** The same of a tree on the device; one leaf is in host memory at a time. */
export async function nonFiniteLeaf(tree: TensorTree): Promise<string | undefined> {
  for (const [path, leaf] of entriesOf(tree)) {
    if (leaf.dtype !== 'float32') continue;
    const found = nonFiniteTensor(new Map([[path, await downloadTensor(leaf, path)]]));
    if (found !== undefined) return found;
  }
  return undefined;
}
