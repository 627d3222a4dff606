/** The precision of matrix products; sums, norms, moments and the master weights are f32 either way. */
export type Precision = 'f32' | 'bf16';

/** `own`: our kernels, of which the processor has all and a GPU some, beside libtorch's; `libtorch`: its kernels alone. */
export type Kernels = 'own' | 'libtorch';

export interface TorchOptions {
  /** f32 unless given; auto is bf16 where the device multiplies it faster. */
  readonly precision?: Precision | 'auto' | undefined;
  /** As many as OMP_NUM_THREADS says, else all of the machine's cores, unless given. */
  readonly threads?: number | undefined;
  /** `cpu` unless given, or `cuda`, `cuda:1`, …. */
  readonly device?: string | undefined;
  /** On the processor `own` and on a GPU `libtorch`, unless given here or by WINNOW_KERNELS. */
  readonly kernels?: Kernels | undefined;
}

export interface TorchSettings {
  readonly precision: Precision;
  readonly threads: number;
  readonly device: string;
  readonly kernels: Kernels;
}
