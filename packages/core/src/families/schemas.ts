import { z } from 'zod';
import { shareSchema } from '../decision/share';

/** Pieces that the schemas of families are made of. */
export const count = z.int().positive();

export const blockSchema = z.strictObject({
  heads: count.exactOptional(),
  headDim: count,
  queryKeyDim: count.exactOptional(),
  hiddenDim: count,
});

/** The merging of like tokens. */
export const mergingSchema = z.strictObject({
  perBlock: count,
  schedule: z.literal('decreasing').exactOptional(),
  proportional: z.literal(false).exactOptional(),
});

export const towerSchema = z.strictObject({
  embedDim: count,
  heads: count,
  denseHeadDim: count,
  activation: z.enum(['gelu', 'gelu-tanh', 'quick-gelu']),
  causal: z.boolean(),
  normEpsilon: z.number().positive(),
  inputBias: z.literal(false).exactOptional(),
  layerScale: z.number().exactOptional(),
  blocks: z.array(blockSchema).min(1),
});

export const tiesShape = { ties: z.record(z.string(), shareSchema).exactOptional() };
