import {
  type DenseConfig,
  type HostTensor,
  type HostTensors,
  type ParameterSpec,
  type Tree,
  type VisionTowerConfig,
  entriesOf,
  familyOf,
  sizeOf,
} from '@winnow/core';
import type { Arrangement, Naming } from './naming';
import { permuteAxes } from './permute-axes';

/** The place of the values of one of our parameters in theirs. */
interface Placement {
  /** Their shape. */
  readonly shape: readonly number[];
  /** Ours has their axes in this order. (Axes of extent 1 may be gone, and neighbours merged.) */
  readonly axes: readonly number[];
}

/** One parameter of ours, or several that are stored as one. */
export interface Correspondence {
  /** Their name. */
  readonly name: string;
  /** Their shape. */
  readonly shape: readonly number[];
  /** Ours. Several lie one after the other along their first axis, as the fused query, key and value do. */
  readonly parts: readonly Part[];
}

interface Part {
  readonly path: string;
  readonly spec: ParameterSpec;
  readonly placement: Placement;
}

/** The table of our parameters and theirs, to be read in both directions. */
export function correspondences(
  { specs, config }: { readonly specs: Tree<ParameterSpec>; readonly config: DenseConfig },
  naming: Naming,
): Correspondence[] {
  const parts = new Map<string, Part[]>();
  for (const [path, spec] of entriesOf<ParameterSpec>(specs)) {
    const { name, arrangement } = naming(path);
    const placement = placementOf(spec.shape, arrangement, config);
    parts.set(name, [...(parts.get(name) ?? []), { path, spec, placement }]);
  }
  return [...parts].map(([name, parts]) => ({ name, parts, shape: joinedShape(parts) }));
}

function placementOf(
  shape: readonly number[],
  arrangement: Arrangement = shape.length === 2 ? 'transposed' : 'same',
  config: DenseConfig,
): Placement {
  const [rows = 0, columns = 0] = shape;
  const inOrder = (theirs: readonly number[]) => ({ shape: theirs, axes: theirs.map((_, axis) => axis) });
  switch (arrangement) {
    case 'same':
      return inOrder(shape);
    case 'transposed':
      return { shape: [columns, rows], axes: [1, 0] };
    case 'batched':
      return inOrder([1, ...shape]);
    case 'unbatched':
      return inOrder(shape.slice(1));
    case 'convolution': {
      const { channels, patchSize } = visionOf(config);
      return { shape: [columns, channels, patchSize, patchSize], axes: [2, 3, 1, 0] };
    }
    default:
      return arrangement satisfies never;
  }
}

function visionOf(config: DenseConfig): VisionTowerConfig {
  const { vision } = familyOf(config).towers(config);
  if (vision === undefined) throw new RangeError(`a ${config.kind} has no patch projection`);
  return vision;
}

function joinedShape(parts: readonly Part[]): readonly number[] {
  const shape = parts[0]?.placement.shape ?? [];
  const [first = 0, ...rest] = shape;
  return parts.length === 1 ? shape : [first * parts.length, ...rest];
}

/** One of their tensors, which must have the shape of its row → ours, by path. */
export function partsOfTheirs(row: Correspondence, theirs: HostTensor): [path: string, ours: HostTensor][] {
  const values = floatsOf(theirs, row.name);
  return row.parts.map(({ path, spec, placement }, index) => {
    const size = sizeOf(spec);
    const own = values.subarray(index * size, (index + 1) * size);
    const permuted = permuteAxes(own, placement.shape, placement.axes);
    return [path, { dtype: 'float32', shape: spec.shape, values: permuted }];
  });
}

/** Their tensors → ours, by path. The tensors must have the shapes of the table. */
export function fromTheirs(table: readonly Correspondence[], theirs: HostTensors): Map<string, HostTensor> {
  return new Map(table.flatMap((row) => partsOfTheirs(row, present(theirs, row.name))));
}

/** Our tensors, by path → theirs, by name: the inverse of `fromTheirs`. */
export function toTheirs(table: readonly Correspondence[], ours: HostTensors): Map<string, HostTensor> {
  return new Map(table.map((row) => [row.name, theirsOfParts(row, ours)]));
}

/** One of their tensors from those of ours that it is made of, which must be there: the inverse of `partsOfTheirs`. */
export function theirsOfParts({ shape, parts }: Correspondence, ours: HostTensors): HostTensor {
  const values = new Float32Array(sizeOf({ shape }));
  parts.forEach(({ path, spec, placement: { shape: stored, axes } }, index) => {
    const permuted = axes.map((axis) => stored[axis] ?? 0);
    const inverse = axes.map((_, axis) => axes.indexOf(axis));
    const own = floatsOf(present(ours, path), path);
    values.set(permuteAxes(own, permuted, inverse), index * sizeOf(spec));
  });
  return { dtype: 'float32', shape, values };
}

function present(tensors: HostTensors, name: string): HostTensor {
  const found = tensors.get(name);
  if (found === undefined) throw new RangeError(`expected a tensor ${name}, got none`);
  return found;
}

function floatsOf(tensor: HostTensor, name: string): Float32Array {
  if (tensor.dtype === 'float32') return tensor.values;
  throw new RangeError(`expected float32 ${name}, got ${tensor.dtype}`);
}
