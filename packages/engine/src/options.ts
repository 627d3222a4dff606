/** The number format of matrix products; sums, norms, moments and the master weights are f32 either way. */
export const precisions = ['f32', 'bf16'] as const;
export type Precision = (typeof precisions)[number];

/** A precision, or bf16 where the hardware multiplies it faster and f32 elsewhere. */
export const precisionChoices = [...precisions, 'auto'] as const;
export type PrecisionChoice = (typeof precisionChoices)[number];

/** The name of a device: the processor, or an NVIDIA GPU by its number. */
export const devicePattern = /^(cpu|cuda(:\d+)?)$/;

/** Requests to an engine; an engine that cannot meet them is not available. */
export interface EngineOptions {
  /** f32 unless given. */
  readonly precision?: PrecisionChoice | undefined;
  /** Unless given as many as OMP_NUM_THREADS (`torch`) or TF_NUM_INTRAOP_THREADS (`tensorflow`) says, else one for each core. */
  readonly threads?: number | undefined;
  /** `cpu`, `cuda` or `cuda:1`; unless given, the engine's own choice. */
  readonly device?: string | undefined;
}

/** The settings that an engine was started with. */
export interface EngineSettings {
  readonly precision: Precision;
  readonly threads: number;
  readonly device: string;
}
