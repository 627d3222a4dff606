import {
  type HostTensor,
  type HostTensors,
  type ParameterSpec,
  type VisionTransformer,
  entriesOf,
  sizeOf,
} from '@winnow/core';
import { permuteAxes } from './permute-axes';

/** How one of our parameters is stored by PyTorch models. */
interface Layout {
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
  readonly layout: Layout;
}

/** Their name of a parameter of ours. */
export type Naming = (path: string) => string;

/** The table of our parameters and theirs, to be read in both directions. */
export function correspondences(
  { specs, config }: Pick<VisionTransformer, 'specs' | 'config'>,
  naming: Naming,
): Correspondence[] {
  const { patchSize, channels } = config;
  const parts = new Map<string, Part[]>();
  for (const [path, spec] of entriesOf<ParameterSpec>(specs)) {
    const name = naming(path);
    const layout = layoutOf(path, spec.shape, { patchSize, channels });
    parts.set(name, [...(parts.get(name) ?? []), { path, spec, layout }]);
  }
  return [...parts].map(([name, parts]) => ({ name, parts, shape: joinedShape(parts) }));
}

/**
 * Vectors are stored alike. Linear weights are [out, in] there and [in, out] here. Tokens and positions have an axis for
 * the batch there. The patch projection is a convolution [D, C, P, P] there and [P·P·C, D] here.
 */
function layoutOf(
  path: string,
  shape: readonly number[],
  { patchSize, channels }: { patchSize: number; channels: number },
): Layout {
  const [rows = 0, columns = 0] = shape;
  switch (path) {
    case 'patchEmbedding.weight':
      return { shape: [columns, channels, patchSize, patchSize], axes: [2, 3, 1, 0] };
    case 'classToken':
    case 'distillationToken':
    case 'positions':
      return { shape: [1, ...shape], axes: [0, 1, 2] };
    default:
      return shape.length === 2 ? { shape: [columns, rows], axes: [1, 0] } : { shape, axes: [0] };
  }
}

function joinedShape(parts: readonly Part[]): number[] {
  const [first = 0, ...rest] = parts[0]?.layout.shape ?? [];
  return [first * parts.length, ...rest];
}

/** Their tensors → ours, by path. The tensors must have the shapes of the table. */
export function fromTheirs(table: readonly Correspondence[], theirs: HostTensors): Map<string, HostTensor> {
  const ours = new Map<string, HostTensor>();
  for (const { name, parts } of table) {
    const values = floatsOf(theirs, name);
    parts.forEach(({ path, spec, layout }, index) => {
      const size = sizeOf(spec);
      const own = values.subarray(index * size, (index + 1) * size);
      ours.set(path, {
        dtype: 'float32',
        shape: spec.shape,
        values: permuteAxes(own, layout.shape, layout.axes),
      });
    });
  }
  return ours;
}

/** Our tensors, by path → theirs, by name: the inverse of `fromTheirs`. */
export function toTheirs(table: readonly Correspondence[], ours: HostTensors): Map<string, HostTensor> {
  return new Map(
    table.map(({ name, shape, parts }): [string, HostTensor] => {
      const values = new Float32Array(sizeOf({ shape }));
      parts.forEach(({ path, spec, layout }, index) => {
        const permuted = layout.axes.map((axis) => layout.shape[axis] ?? 0);
        const inverse = layout.axes.map((_, axis) => layout.axes.indexOf(axis));
        values.set(permuteAxes(floatsOf(ours, path), permuted, inverse), index * sizeOf(spec));
      });
      return [name, { dtype: 'float32', shape, values }];
    }),
  );
}

function floatsOf(tensors: HostTensors, name: string): Float32Array {
  const found = tensors.get(name);
  if (found?.dtype !== 'float32')
    throw new RangeError(`expected float32 ${name}, got ${found?.dtype ?? 'none'}`);
  return found.values;
}
