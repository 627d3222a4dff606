import { z } from 'zod';
import type { CrossModalShape } from '../layers/bert-layer';
import type { BlockShape } from '../layers/tower';
import type { Activation } from '../operations/activation';
import {
  type BertTextConfig,
  bertTextShape,
  fitsItsPositions,
  fittingPositions,
  knowsItsEnd,
  knownEnd,
} from './bert-words';
import type { DenseConfig } from './model';
import type { RegionSizes } from './region-embedding';
import { type RegionHead, otherHeadSchema } from './region-head';
import { blockSchema, count, tiesShape } from './schemas';

/** Words and regions in a stream each, and layers in which they look at each other (Tan and Bansal, 2019, LXMERT). */
export interface LxmertConfig extends DenseConfig {
  readonly kind: 'lxmert';
  readonly text: BertTextConfig & { readonly blocks: readonly BlockShape[] };
  readonly vision: RegionSizes & {
    /** R: regions of the pictures that the account is about. */
    readonly regions: number;
    readonly blocks: readonly BlockShape[];
  };
  /** Sizes of the layers in which both streams look at each other. */
  readonly cross: { readonly blocks: readonly CrossModalShape[] };
  /** D */
  readonly embedDim: number;
  readonly heads: number;
  /** Head dimension of the dense model; the attention scale stays 1/√denseHeadDim after a cut. */
  readonly denseHeadDim: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
  /** A: answers that are told apart, of a model with a head for them. */
  readonly answers?: number;
  /** Another head in place of one for answers. */
  readonly head?: LxmertHead;
}

/** The heads that an LXMERT may have in place of one for answers. */
export type LxmertHead = Exclude<RegionHead, { readonly kind: 'answers' | 'retrieval' }>;

/** The head of an LXMERT. @throws {RangeError} when it has none, or two. */
export function headOfLxmert({ answers, head }: Pick<LxmertConfig, 'answers' | 'head'>): RegionHead {
  if (answers !== undefined && head === undefined) return { kind: 'answers', answers };
  if (answers === undefined && head !== undefined) return head;
  throw new RangeError(oneHead);
}

const oneHead = 'expected a number of answers, or another head';

/** Sizes by name: LXMERT's published layers, the same of smaller width, and a mini one for quick trials. */
export const lxmertPresets = {
  mini: { embedDim: 128, heads: 4, layers: [3, 2, 2] },
  tiny: { embedDim: 192, heads: 3, layers: [9, 5, 5] },
  small: { embedDim: 384, heads: 6, layers: [9, 5, 5] },
  published: { embedDim: 768, heads: 12, layers: [9, 5, 5] },
} as const;
export type LxmertPreset = keyof typeof lxmertPresets;

export interface LxmertOptions {
  readonly vocabulary: number;
  readonly context: number;
  readonly positions?: number;
  readonly endToken: number;
  readonly features?: number;
  readonly regions?: number;
  readonly answers?: number;
  readonly head?: LxmertHead;
}

/** A dense LXMERT of a named size, with layers of texts, of regions and of both. */
export function lxmertConfig(
  preset: LxmertPreset,
  {
    vocabulary,
    context,
    positions = context,
    endToken,
    features = 2048,
    regions = 36,
    ...own
  }: LxmertOptions,
): LxmertConfig {
  const { embedDim, heads, layers } = lxmertPresets[preset];
  const headDim = embedDim / heads;
  const block = { headDim, hiddenDim: 4 * embedDim };
  const some = <Shape>(length: number, shape: Shape): Shape[] => Array.from({ length }, () => shape);
  return {
    kind: 'lxmert',
    text: { vocabulary, context, positions, endToken, types: 2, blocks: some(layers[0], block) },
    vision: { features, places: 4, regions, blocks: some(layers[1], block) },
    cross: { blocks: some(layers[2], { cross: { headDim }, text: block, vision: block }) },
    embedDim,
    heads,
    denseHeadDim: headDim,
    activation: 'gelu',
    normEpsilon: 1e-12,
    ...own,
  };
}

const blocks = z.array(blockSchema).min(1);

/** Reads the configuration of an LXMERT. */
export const lxmertSchema = z
  .strictObject({
    kind: z.literal('lxmert'),
    text: z
      .strictObject({ ...bertTextShape, blocks })
      .refine(knowsItsEnd, knownEnd)
      .refine(fitsItsPositions, fittingPositions),
    vision: z.strictObject({ features: count, places: count, regions: count, blocks }),
    cross: z.strictObject({
      blocks: z
        .array(
          z.strictObject({
            cross: z.strictObject({ headDim: count, queryKeyDim: count.exactOptional() }),
            text: blockSchema,
            vision: blockSchema,
          }),
        )
        .min(1),
    }),
    embedDim: count,
    heads: count,
    denseHeadDim: count,
    activation: z.enum(['gelu', 'gelu-tanh', 'quick-gelu']),
    normEpsilon: z.number().positive(),
    answers: count.exactOptional(),
    head: otherHeadSchema.exactOptional(),
    ...tiesShape,
  })
  .refine(({ answers, head }) => (answers === undefined) !== (head === undefined), oneHead);
