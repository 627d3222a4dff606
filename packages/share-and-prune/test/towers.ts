import {
  type DualEncoder,
  type DualEncoderParams,
  type RandomStream,
  dualEncoder,
  initialize,
} from '@winnow/core';
import { asVector, layoutOf, vectorSizes } from '../src/layout';
import { type Pairing, type Sharing, type SubLayer, pairTowers } from '../src/pairing';
import { type StructureVector, resolveConflicts } from '../src/structure';

export interface Geometry {
  readonly embedDim: number;
  readonly heads: number;
  readonly headDim: number;
  readonly hiddenDim: number;
  readonly layers: number;
}

export const small: Geometry = { embedDim: 8, heads: 2, headDim: 4, hiddenDim: 6, layers: 3 };

/** A dual encoder whose towers have the same shape. */
export function twoTowers({ embedDim, heads, headDim, hiddenDim, layers }: Geometry): DualEncoder {
  const tower = {
    embedDim,
    heads,
    denseHeadDim: headDim,
    normEpsilon: 1e-5,
    blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim })),
  };
  return dualEncoder({
    kind: 'dual-encoder',
    projectionDim: 5,
    vision: {
      imageSize: 8,
      patchSize: 4,
      channels: 1,
      distillation: 'none',
      embeddingNorm: false,
      patchBias: true,
      tower: { ...tower, activation: 'gelu', causal: false },
    },
    text: {
      vocabulary: 7,
      context: 5,
      endToken: 6,
      tower: { ...tower, activation: 'quick-gelu', causal: true },
    },
  });
}

export const paired = (geometry: Geometry, sharing: Sharing): Pairing =>
  pairTowers(twoTowers(geometry), sharing);

export const parametersOf = (model: DualEncoder, seed: number): DualEncoderParams =>
  initialize<DualEncoderParams>(model.specs, seed);

/** Vectors in host memory, by sub-layer. */
export type Choices = Record<string, { share: number[]; keep: number[] }>;

/** Random choices where there is something to choose: 1 elsewhere. */
export function randomChoices({ subLayers }: Pairing, random: RandomStream, prunes = true): Choices {
  const bits = (size: number, free: boolean) =>
    Array.from({ length: size }, () => (free && random.uniform() < 0.5 ? 0 : 1));
  return Object.fromEntries(
    subLayers.map((subLayer) => {
      const { share, keep } = vectorSizes(subLayer);
      return [subLayer.id, { share: bits(share, subLayer.lender !== undefined), keep: bits(keep, prunes) }];
    }),
  );
}

/** Choices as one vector, conflicts resolved. */
export function resolvedVector(choices: Choices, pairing: Pairing): StructureVector {
  const layout = layoutOf(pairing);
  return resolveConflicts(asVector(choices, layout), layout);
}

/** Where a column is stored: its sub-layer, part and index; undefined where it is pruned. */
export type Place = string | undefined;

/**
 * Translates the vectors into pointers: for each sub-layer and part, where every column is stored. Follows lenders one
 * by one, and lets sharing win by asking who else uses a unit.
 */
export function placesOf(pairing: Pairing, choices: Choices): Map<string, Place[]> {
  const choiceOf = ({ id }: SubLayer) => choices[id] ?? { share: [], keep: [] };
  const partsOf = ({ structure }: SubLayer) => (structure === 'ffn' ? ['hidden'] : ['query', 'key', 'value']);
  const isBorrowed = (subLayer: SubLayer, part: number, column: number) =>
    choiceOf(subLayer).share[part * subLayer.columns + column] === 0;
  /** Whether q or k of the unit, or the hidden unit, is borrowed here. */
  const borrowsUnit = (subLayer: SubLayer, column: number) =>
    subLayer.structure === 'ffn'
      ? isBorrowed(subLayer, 0, column)
      : isBorrowed(subLayer, 0, column) || isBorrowed(subLayer, 1, column);
  const isPruned = (subLayer: SubLayer, column: number) => {
    if (choiceOf(subLayer).keep[column] === 1) return false;
    if (borrowsUnit(subLayer, column)) return false;
    return !pairing.subLayers.some((other) => other.lender === subLayer.id && borrowsUnit(other, column));
  };
  const ownerOf = (subLayer: SubLayer, part: number, column: number): SubLayer =>
    isBorrowed(subLayer, part, column) && subLayer.lender !== undefined
      ? ownerOf(pairing.byId(subLayer.lender), part, column)
      : subLayer;
  return new Map(
    pairing.subLayers.flatMap((subLayer) =>
      partsOf(subLayer).map((name, part): [string, Place[]] => [
        `${subLayer.id}.${name}`,
        Array.from({ length: subLayer.columns }, (_, column) =>
          name !== 'value' && isPruned(subLayer, column)
            ? undefined
            : `${ownerOf(subLayer, part, column).id}.${name}.${column}`,
        ),
      ]),
    ),
  );
}

/** Returns a value that must be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected something to be there');
  return value;
}
