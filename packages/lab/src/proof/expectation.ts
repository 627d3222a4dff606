import { createHash } from 'node:crypto';
import {
  type Decision,
  type Model,
  type ParameterSpec,
  denseConfigOf,
  downloadTensor,
  entriesOf,
  isMasked,
  keptCount,
  maskSize,
  runningOf,
  sharedRows,
} from '@winnow/core';
import type { OpenedModel } from '../model-source/open-model';
import type { OnnxPrecision } from '../onnx/precision';

/** A product of x with a matrix of the model, for one example. */
export interface ExpectedProduct {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** The two products of an attention, for one example. */
export interface ExpectedAttention {
  readonly heads: number;
  readonly queryKeyDim: number;
  readonly headDim: number;
  /** T and T′. */
  readonly tokens: number;
  readonly context: number;
}

/** All that a part computes for one example: each use of a map by its name, see `useName`, and each part of the account by its own. */
export interface ExpectedPart {
  /** The number of times that it runs on the example that the account is about. */
  readonly times: number;
  readonly products: ReadonlyMap<string, ExpectedProduct>;
  readonly attentions: ReadonlyMap<string, ExpectedAttention>;
  /** Grids of values that are resized along straight lines: rows and columns of the result. */
  readonly resizes: ReadonlyMap<string, readonly [rows: number, columns: number]>;
}

/** A parameter as a file should have it. */
export interface ExpectedTensor {
  readonly type: 'float32' | 'float16' | 'int8';
  readonly shape: readonly number[];
  /** The digest of its numbers. */
  readonly sha256: string;
  /** Entries that the model's masks have taken away. */
  readonly masked: number;
}

/** All that the files of a model have to be, as the model itself says it. */
export interface Expectation {
  readonly precision: OnnxPrecision;
  readonly decision: Decision | undefined;
  /** Whether several files may hold the same parameter: columns are shared, perhaps between towers, or parts share layers. */
  readonly isShared: boolean;
  /** By the names of the files. */
  readonly parts: ReadonlyMap<string, ExpectedPart>;
  readonly tensors: ReadonlyMap<string, ExpectedTensor>;
  /** Widths of layer norms, by the paths of what they multiply with. */
  readonly norms: ReadonlyMap<string, number>;
  readonly model: Pick<Model, 'account' | 'sites'>;
  /** Units that are left at each site, by its path. */
  readonly units: ReadonlyMap<string, number>;
  /** The metadata that the files have. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The file beside them that says how pictures are prepared. */
  readonly preparation: string | undefined;
}

/** Parameters that are in no file: they make logits of the embeddings of two. */
export const BESIDE_FILES: readonly string[] = ['logitScale', 'logitBias', 'embeddings.logitScale'];

/** Groups of matrices that have the same scales in int8, as rows of them stand in one: none of a model without shared columns. */
export function rowsTogether(model: OpenedModel['model']): readonly (readonly string[])[] {
  const { ties } = denseConfigOf(model);
  return ties === undefined ? [] : sharedRows(runningOf(model).model, ties);
}

/**
 * The parameters, number by number, in the types of the files: under int8 the matrices of linear maps are rounded once more here.
 * @param maps Paths of the linear maps that are made in whole numbers.
 */
export async function expectedTensors(
  { model, params }: Pick<OpenedModel, 'model' | 'params'>,
  precision: OnnxPrecision,
  maps: ReadonlySet<string>,
): Promise<Map<string, ExpectedTensor>> {
  const { greatestTogether, quantizeColumns, rawNumbers } = await import('@winnow/onnx');
  const found = new Map<string, ExpectedTensor>();
  const masks = isMasked(model.config) ? model.config.masks : {};
  const leaves = new Map(entriesOf(params));
  const read = async (path: string) => {
    const leaf = leaves.get(path);
    if (leaf === undefined) throw new RangeError(`expected a parameter ${path}, got none`);
    return downloadTensor(leaf, path);
  };
  const greatest = new Map<string, Float32Array>();
  if (precision === 'int8')
    for (const group of rowsTogether(model)) {
      const most = await greatestTogether(group, read);
      for (const path of group) greatest.set(path, most);
    }
  for (const path of leaves.keys()) {
    if (BESIDE_FILES.includes(path)) continue;
    const { shape, values } = await read(path);
    const mask = masks[path];
    const masked = mask === undefined ? 0 : maskSize(mask) - keptCount(mask);
    // A map is a record of a matrix and a bias, or a matrix with its bias beside it.
    const isWhole = precision === 'int8' && shape.length === 2 && maps.has(path.replace(/\.weight$/, ''));
    const type = isWhole ? 'int8' : precision === 'f16' ? 'float16' : 'float32';
    const numbers = isWhole ? quantizeColumns(values, shape[1] ?? 1, greatest.get(path)).values : values;
    const sha256 = createHash('sha256')
      .update(rawNumbers(path, type, numbers))
      .digest('hex');
    found.set(path, { type, shape, sha256, masked });
  }
  return found;
}

/** Bytes of one number of a type. */
export const numberBytes: Readonly<Record<ExpectedTensor['type'], number>> = {
  float32: 4,
  float16: 2,
  int8: 1,
};

/** Shapes of the matrices of the model that runs, by the paths of the maps that they belong to. */
export function matrixShapes(
  model: OpenedModel['model'],
): ReadonlyMap<string, readonly [inner: number, columns: number]> {
  const { specs } = runningOf(model).model;
  return new Map(
    entriesOf<ParameterSpec>(specs).flatMap(([path, { shape }]): [string, readonly [number, number]][] => {
      const [inner, columns] = shape;
      if (shape.length !== 2 || inner === undefined || columns === undefined) return [];
      return [[path.replace(/\.weight$/, ''), [inner, columns]]];
    }),
  );
}

/** Widths of layer norms: vectors that have a bias beside them, and no matrix. */
export function normWidths(model: OpenedModel['model']): ReadonlyMap<string, number> {
  const entries = entriesOf<ParameterSpec>(runningOf(model).model.specs);
  return new Map(
    entries.flatMap(([path, { shape }]): [string, number][] =>
      path.endsWith('.weight') && shape.length === 1 ? [[path, shape[0] ?? 0]] : [],
    ),
  );
}
