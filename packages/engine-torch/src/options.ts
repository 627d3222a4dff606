/** Of matrix products; sums, norms, moments and the master weights are f32 either way. */
export type Precision = 'f32' | 'bf16';

export interface TorchOptions {
  /** f32 unless given. */
  readonly precision?: Precision | undefined;
  /** All of the machine's cores unless given. */
  readonly threads?: number | undefined;
  /** `cpu` unless given, or `cuda`, `cuda:1`, …. */
  readonly device?: string | undefined;
}

export interface TorchSettings {
  readonly precision: Precision;
  readonly threads: number;
  readonly device: string;
}
