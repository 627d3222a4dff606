import type { ReadFile } from '../file/decode';

/** Numbers that a part is given under one name, one example after the other. */
export interface ExampleInput {
  /** Shape of one. */
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** Examples for a part, by the names of its inputs. */
export interface Examples {
  readonly count: number;
  readonly inputs: Readonly<Record<string, ExampleInput>>;
}

/** Answers to examples, one after the other, by the names of a part's outputs. */
export type Answers = Readonly<Record<string, Float32Array>>;

/** A file that is to be looked at. */
export interface PartJob {
  readonly name: string;
  readonly path: string;
  /** Answered together, each by itself, and in reverse. */
  readonly fixed: Examples;
  /** Answered once: all inputs but those that files before this one give. */
  readonly pictures?: Examples;
  /** Whether the answers about pictures are handed on in the facts, and not to later files alone. */
  readonly isAsked?: boolean;
  /** Inputs that files before this one give for the pictures, by name: the shape of one. */
  readonly taken?: Readonly<Record<string, readonly number[]>>;
}

/** Files of which each pair is timed in turn. */
export interface TimingJob {
  /** The other file of each part, by the part's name. */
  readonly against: Readonly<Record<string, string>>;
  readonly batchSizes: readonly number[];
  readonly rounds: number;
  /** After so long no round of a pair begins any more, once there are LEAST_ROUNDS; without it all are made. */
  readonly seconds?: number | undefined;
}

/** With fewer the middle of them has no interval of 95 %: all six lie on one side of it once in 32 times. */
export const LEAST_ROUNDS = 6;

export interface ProofJob {
  readonly parts: readonly PartJob[];
  readonly threads: number;
  readonly timing?: TimingJob;
}

/** A product of two matrices, as ONNX Runtime made it for one example. */
export interface MeasuredProduct {
  readonly name: string;
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly result: readonly number[];
}

/** Values brought to another grid, by straight lines. */
export interface MeasuredResize {
  readonly name: string;
  readonly result: readonly number[];
}

/** Where a product sends tokens that merge, as ONNX Runtime had it for the fixed examples. */
export interface MeasuredMerge {
  readonly product: string;
  /** The place of each token of the first set, example by example; −1 where it has not exactly one. */
  readonly places: Int32Array;
}

/** A layer norm, by the parameter that it multiplies with. */
export interface MeasuredNorm {
  readonly weight: string;
  readonly shape: readonly number[];
}

/** All that ONNX Runtime tells about a file. */
export interface PartFacts extends ReadFile {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly products: readonly MeasuredProduct[];
  readonly norms: readonly MeasuredNorm[];
  readonly resizes: readonly MeasuredResize[];
  readonly merges: readonly MeasuredMerge[];
  /** Answers to the fixed examples; a part of the numbers of large ones, evenly spread: see `thinned`. */
  readonly together: Answers;
  readonly alone: Answers;
  /** Answers to the fixed examples in reverse, put back into their order. */
  readonly reversed: Answers;
  /** Answers to real pictures, of a file that is asked about them. */
  readonly pictures?: Answers;
}

/** Times of a part at a batch size, one of each file in turn, in milliseconds. */
export interface MeasuredTimes {
  readonly part: string;
  readonly batch: number;
  readonly own: readonly number[];
  readonly against: readonly number[];
}

export interface ProofFacts {
  /** ONNX Runtime's version. */
  readonly runtime: string;
  readonly threads: number;
  readonly parts: readonly PartFacts[];
  readonly times: readonly MeasuredTimes[];
}
