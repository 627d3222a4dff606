import type { AnyDenseModel, EndToken, Hooks } from '@winnow/core';
import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { GraphPort } from '../graph/graph';
import type { TracedPass } from '../trace/trace';

/** The parts that models have files for. */
export type PartName = 'model' | 'vision' | 'text' | 'grounded' | 'decoder';

/** A part of a model that is a file by itself. */
export interface ModelPart {
  readonly name: PartName;
  readonly inputs: readonly GraphPort[];
  /** The tokens that there are, and the one that ends a text, where the part reads texts. */
  readonly texts?: TextsRead;
  /** Paths of linear maps that stay float32 in int8, as answers depend on small differences of what they give. */
  readonly exact?: readonly string[];
  /** The number of times that it runs on the example that the model's account is about. */
  readonly times: number;
  /** The engine's answer to a batch, by the names that it has in the file; each has the batch as its first axis. Call it in a tidy. */
  answer(
    any: AnyDenseModel,
    inputs: NamedTensorMap,
    hooks?: Pick<Hooks, 'observe' | 'merge'>,
  ): NamedTensorMap;
  /** The same pass with stand-ins for parameters, for a batch of so many. */
  passAt(batch: number): TracedPass;
}

export interface TextsRead {
  /** They are answers to questions, where they are not the texts that stand beside pictures. */
  readonly are?: 'answers';
  readonly vocabulary: number;
  readonly endToken: EndToken;
}

/** A part before it knows how to be traced. */
export type PartDescription = Omit<ModelPart, 'passAt' | 'times'> & { readonly times?: number };
