/** The precision of matrix products; sums, norms, moments and the master weights are f32 either way. */
export type Precision = 'f32' | 'bf16';

/** Our own kernels are written for the processor; libtorch's are what a GPU runs, and can be asked for on the processor. */
export type Kernels = 'own' | 'libtorch';

export interface TorchOptions {
  /** f32 unless given; auto is bf16 where the device multiplies it faster. */
  readonly precision?: Precision | 'auto' | undefined;
  /** All of the machine's cores unless given. */
  readonly threads?: number | undefined;
  /** `cpu` unless given, or `cuda`, `cuda:1`, …. */
  readonly device?: string | undefined;
  /** On the processor `own` unless given here or by WINNOW_KERNELS; on a GPU always `libtorch`. */
  readonly kernels?: Kernels | undefined;
}

export interface TorchSettings {
  readonly precision: Precision;
  readonly threads: number;
  readonly device: string;
  readonly kernels: Kernels;
}
