import {
  type Decision,
  type DenseConfig,
  type EndToken,
  type Json,
  decisionSchema,
  shareSchema,
} from '@winnow/core';
import { type ZodType, z } from 'zod';

/** What `structure.json` says: everything about a model but its weights. */
export interface StructureFile {
  readonly version: 1;
  /** The weights file that belongs to it. */
  readonly weights: { readonly sha256: string; readonly bytes: number };
  readonly model: DenseConfig | { readonly kind: 'masked'; readonly model: DenseConfig };
  /** Names of the classes of a classifier, in the order of its columns. */
  readonly classNames?: readonly string[];
  /** How the model was cut, in units of the model it was cut from. */
  readonly decision?: Decision;
  /** The decision's masks are those of the weights file. */
  readonly decidedMasks?: 'as stored';
  /** Where it came from: free, for the reader. */
  readonly origin?: Json;
}

const count = z.int().positive();

const tower = z.strictObject({
  embedDim: count,
  heads: count,
  denseHeadDim: count,
  activation: z.enum(['gelu', 'quick-gelu']),
  causal: z.boolean(),
  normEpsilon: z.number().positive(),
  blocks: z
    .array(z.strictObject({ headDim: count, queryKeyDim: count.exactOptional(), hiddenDim: count }))
    .min(1),
});

const visionShape = {
  imageSize: count,
  patchSize: count,
  channels: count,
  distillation: z.enum(['none', 'token', 'head']),
  // Files of version 0.1 do not name them.
  embeddingNorm: z.boolean().default(false),
  patchBias: z.boolean().default(true),
  tower,
};
const isWholeGrid = ({ imageSize, patchSize }: { imageSize: number; patchSize: number }) =>
  imageSize % patchSize === 0;
const wholeGrid = { path: ['imageSize'], message: 'expected a multiple of the patch size' };

const endToken = z.union(
  [z.int().nonnegative(), z.literal('greatest')],
  'expected the number of a token, or greatest',
);
const textShape = { vocabulary: count, context: count, endToken, tower };
const hasEndToken = ({ endToken, vocabulary }: { endToken: EndToken; vocabulary: number }) =>
  endToken === 'greatest' || endToken < vocabulary;
const knownEndToken = { path: ['endToken'], message: 'expected a token of the vocabulary' };

const denseConfig = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('vision-transformer'), ...visionShape, classes: count })
    .refine(isWholeGrid, wholeGrid),
  z
    .strictObject({ kind: z.literal('clip-text'), ...textShape, projectionDim: count })
    .refine(hasEndToken, knownEndToken),
  z.strictObject({
    kind: z.literal('dual-encoder'),
    projectionDim: count,
    vision: z.strictObject(visionShape).refine(isWholeGrid, wholeGrid),
    text: z.strictObject(textShape).refine(hasEndToken, knownEndToken),
    ties: z.record(z.string(), shareSchema).exactOptional(),
  }),
]);

/** Its masks stand in the weights file. */
const maskedConfig = z.strictObject({ kind: z.literal('masked'), model: denseConfig });

export const structureFile: ZodType<StructureFile> = z.strictObject({
  version: z.literal(1, 'expected version 1; a newer Winnow may have written this file'),
  weights: z.strictObject({ sha256: z.hash('sha256'), bytes: z.int().nonnegative() }),
  model: z.discriminatedUnion('kind', [denseConfig, maskedConfig]),
  classNames: z.array(z.string()).exactOptional(),
  decision: decisionSchema.exactOptional(),
  decidedMasks: z.literal('as stored').exactOptional(),
  origin: z.json().exactOptional(),
});
