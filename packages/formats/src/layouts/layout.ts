import type { Activation, DenseConfig, Family, HostTensor, PictureSize, Resampling } from '@winnow/core';
import type { Checkpoint } from '../checkpoint/checkpoint';
import type { PictureNormalisation } from '../preprocessor/normalisation';
import type { Naming } from './naming';

/** A fresh classifier. */
export interface NewHead {
  readonly classes: number;
  readonly seed: number;
}

export interface ImportOptions {
  /** Attention heads, where the checkpoint does not say (timm weights without a `config.json`). */
  readonly heads?: number;
  /** The towers' activation, where the checkpoint does not say (open_clip weights without an `open_clip_config.json`). */
  readonly activation?: Activation;
  /** Leaves the checkpoint's classifier, if it has one, and starts a fresh one for this many classes. */
  readonly newHead?: NewHead;
  /** Starts a fresh classifier for a checkpoint of a ViT or DeiT that has none; others keep theirs. */
  readonly missingHead?: NewHead;
  /** Size of the pictures that the model is for, in pixels; the checkpoint's own unless it says otherwise. */
  readonly imageSize?: PictureSize;
}

/** Everything that is known of a checkpoint once its layout is, before any values are read. */
export interface Reading<Config extends DenseConfig = DenseConfig> {
  readonly config: Config;
  readonly naming: Naming;
  /** Names of a classifier's classes, in the order of its rows, where the checkpoint has them. */
  readonly classNames?: readonly string[] | undefined;
  /** Notes for the user on how it was found, one line each. */
  readonly notes?: readonly string[];
  /** The classifier that is drawn anew, if it is. */
  readonly fresh?: NewHead | undefined;
  /** Why a tensor, by their name, is rightly no part of the model; `undefined` for all others. */
  leftOut(name: string): string | undefined;
}

/** A model as its source would write it. */
export interface Writing {
  /** The configuration file. */
  readonly json: object;
  readonly naming: Naming;
  /** The configuration that is written, where layer scale is folded into the layers before it: that without it. */
  readonly folded?: DenseConfig;
  /** Tensors that the source wants beside the model's, by their names. */
  readonly beside?: ReadonlyMap<string, HostTensor>;
}

export type Source = 'Hugging Face' | 'timm' | 'open_clip';

/** The way in which one source lays out the models of one family. */
export interface LayoutDefinition<Config extends DenseConfig> {
  readonly family: Family<Config>;
  readonly source: Source;
  /** Names of others whose files have this layout, for errors. */
  readonly alsoOf?: readonly string[];
  /** The models, for errors: `a ViT or DeiT`. */
  readonly models: string;
  /** Ends of tensors' names that tell these models from others, for errors. */
  readonly anchors: readonly string[];
  /** Whether tensors of these names may be one of these models. */
  recognises(tensors: Checkpoint['tensors']): boolean;
  /** The `model_type` in `config.json` of each, with what errors call it: it tells layouts with the same anchors apart. */
  readonly modelTypes?: Readonly<Record<string, string>>;
  /** The normalisation of its pictures, where no file says one. */
  readonly normalisation?: PictureNormalisation;
  /** The way in which the source itself resamples positions for pictures of another size; plain bicubic unless it says otherwise. */
  readonly resampling?: Resampling;
  /**
   * Reads the configuration and chooses the names.
   * @throws {FormatError} when the configuration is missing, contradicts the tensors or says something that we do not have.
   */
  read(checkpoint: Checkpoint, options: ImportOptions): Reading<Config>;
  /** Which of the family's models are written so; all unless it says otherwise. */
  holds?(config: Config): boolean;
  /**
   * The way back, where there is one. Class names are one for each class, or none.
   * @throws {FormatError} for a model that the source has no words for.
   */
  write?(config: Config, classNames?: readonly string[]): Writing;
}

/** A layout, as those see it who work with every layout. */
export interface Layout extends Omit<LayoutDefinition<DenseConfig>, 'write' | 'holds'> {
  /** `undefined` for a model of another family, or where there is no way back. */
  write(config: DenseConfig, classNames?: readonly string[]): Writing | undefined;
}

export function defineLayout<Config extends DenseConfig>(definition: LayoutDefinition<Config>): Layout {
  const { holds = () => true, write, ...rest } = definition;
  return {
    ...rest,
    write: (config, classNames) =>
      rest.family.is(config) && holds(config) ? write?.(config, classNames) : undefined,
  };
}
