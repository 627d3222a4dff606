import { z } from 'zod';
import { checkNames } from './check';

const count = z.int().nonnegative();
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const middle = z.object({ median: z.number(), low: z.number(), high: z.number() });

/** The findings of a proof, as a file. */
export const certificateSchema = z.object({
  format: z.literal(1),
  verdict: z.enum(['proven', 'failed']),
  checks: z.array(
    z.object({
      name: z.enum(checkNames),
      verdict: z.enum(['holds', 'fails', 'left out']),
      says: z.array(z.string()),
    }),
  ),
  model: z.object({
    family: z.string(),
    summary: z.string(),
    precision: z.string(),
    parametersSha256: digest,
  }),
  against: z.object({ summary: z.string(), parametersSha256: digest }).nullable(),
  files: z.array(
    z.object({
      path: z.string(),
      sha256: digest,
      bytes: count,
      opset: count,
      operators: z.record(z.string(), count),
    }),
  ),
  counts: z.object({
    parameters: z.object({ report: count, files: count }),
    macs: z.object({ report: count, files: count, unread: count }),
    bytes: z.object({ parameters: count, files: count }),
  }),
  /** SHA-256 of the fixed examples and of the engine's answers to them, by part. */
  fixed: z.record(z.string(), z.object({ examplesSha256: digest, answersSha256: digest })),
  agreement: z
    .object({
      pictures: count,
      /** The kind of example that they are; earlier certificates lack it. */
      of: z.string().exactOptional(),
      share: z.number(),
      low: z.number(),
      high: z.number(),
      right: z.object({ files: count, engine: count }).exactOptional(),
      picturesSha256: digest,
    })
    .nullable(),
  timings: z.array(
    z.object({
      part: z.string(),
      batch: count,
      rounds: count,
      ownMs: middle,
      denseMs: middle,
      timesFaster: middle,
      says: z.string(),
    }),
  ),
  environment: z.object({
    winnow: z.string(),
    node: z.string(),
    onnxRuntime: z.string(),
    engine: z.string(),
    processor: z.string(),
    threads: count,
  }),
});

export type Certificate = z.output<typeof certificateSchema>;

export const CERTIFICATE_FILE = 'certificate.json';
export const CERTIFICATE_PAGE = 'certificate.html';

const names = z.array(z.enum(checkNames));

/** The proof at the end of a run, in its summary: the page, parts that hold and that were left out; or why there is none. */
export const proofOfRun = z.union([
  z.object({ page: z.string(), holds: names, leftOut: names }),
  z.object({ none: z.string() }),
]);
export type ProofOfRun = z.output<typeof proofOfRun>;
