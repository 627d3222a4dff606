import type { DataType } from '@tensorflow/tfjs-core';

/** The origin of a value in a forward pass. */
export type ValueSource =
  | { readonly kind: 'parameter'; readonly path: string }
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly values: readonly number[] }
  | { readonly kind: 'result'; readonly operation: number };

/** A tensor of a forward pass that was traced; its number is its place among the values. */
export interface TracedValue {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DataType;
  readonly source: ValueSource;
}

/** One kernel that ran. */
export interface TracedOperation {
  readonly kernel: string;
  /** Numbers of values, by the kernel's names for them. */
  readonly inputs: Readonly<Record<string, number>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly results: readonly number[];
  /** The map that it is, by its path in the model's record, or by its part of the account where it has no parameters; see `useName`. */
  readonly label?: string;
}

/** All that a forward pass did. */
export interface Recording {
  readonly values: readonly TracedValue[];
  readonly operations: readonly TracedOperation[];
  /** Numbers of the values that were asked for, by name. */
  readonly outputs: Readonly<Record<string, number>>;
}
