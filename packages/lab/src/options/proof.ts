import { z } from 'zod';

/** The extents to which a compressed model is proved. */
export const runProofs = ['quick', 'full', 'none'] as const;
export type RunProof = (typeof runProofs)[number];

/** An option that no result depends on. */
export const proofShape = {
  prove: z
    .enum(runProofs)
    .default('full')
    .describe(
      'At the end, prove in ONNX Runtime that files of the model are the model, on 200 real pictures, and time it beside the dense one; quick does without pictures and times',
    ),
};
