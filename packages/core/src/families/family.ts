import type { ZodType } from 'zod';
import type { PictureSize } from './picture-sides';
import type { TokenMerging } from '../layers/token-merging';
import type { TensorTree } from '../tree/tree';
import type { DenseConfig, Model } from './model';
import type { TextTowerConfig } from './text-tower-config';
import type { VisionTowerConfig } from './vision-tower-config';

/** A kind of model, as its author writes it down. */
export interface FamilyDefinition<Config extends DenseConfig, Own extends Model> {
  /** Its name in configurations. */
  readonly kind: Config['kind'];
  /** Reads a configuration from plain data. */
  readonly schema: ZodType<Config>;
  build(config: Config): Own;
  /** The towers that read pictures and texts. */
  towers(config: Config): Towers;
  /** Its models at other picture sizes; a family that reads no pictures has none. */
  readonly pictures?: Pictures<Config>;
  /** Number of classes that a classifier's logits tell apart. */
  classes?(config: Config): number;
  /** Lines for the reader: which model, of which sizes. */
  summary(config: Config): string;
}

/** The part of a model that a picture size is for. */
export interface Pictures<Config> {
  /** Path of the positions, those of the patches last. */
  readonly positions: string;
  /** The configuration at another picture size, in pixels. */
  at(config: Config, imageSize: PictureSize): Config;
  /** The configuration with another merging of its tokens, or without any; a family whose patches keep their places has none. */
  readonly merging?: (config: Config, merging: TokenMerging | undefined) => Config;
}

export interface Towers {
  readonly vision?: VisionTowerConfig;
  readonly text?: TextTowerConfig;
}

/** A model with all its weights and its parameters, of whichever family. */
export interface AnyDenseModel<Own extends Model = Model, Params extends TensorTree = TensorTree> {
  readonly kind: string;
  readonly model: Own;
  readonly params: Params;
}

type ParamsOf<Own> = Own extends Model<infer Params, never> ? Params : TensorTree;

/** A kind of model, as those see it who work with every kind. */
export interface Family<Config extends DenseConfig = DenseConfig, Own extends Model = Model> {
  readonly kind: string;
  readonly schema: ZodType<Config>;
  /** Whether a configuration is one of this family. */
  is(config: DenseConfig): config is Config;
  /** Whether a model is one of this family. */
  holds<Any extends AnyDenseModel>(any: Any): any is AnyDenseModel<Own, ParamsOf<Own>> & Any;
  /** @throws {RangeError} when the configuration is one of another family. */
  make(config: DenseConfig): Model;
  towers(config: DenseConfig): Towers;
  readonly pictures?: Pictures<DenseConfig>;
  /** The number of classes that a classifier tells apart; 0 for a model that is none. */
  classes(config: DenseConfig): number;
  summary(config: DenseConfig): string;
}

/** The same for configurations of every kind, of which those of its own family are taken. */
function picturesOf<Config extends DenseConfig>(
  pictures: Pictures<Config>,
  own: (config: DenseConfig) => Config,
): Pictures<DenseConfig> {
  const { positions, merging } = pictures;
  return {
    positions,
    at: (config, imageSize) => pictures.at(own(config), imageSize),
    ...(merging === undefined ? {} : { merging: (config, how) => merging(own(config), how) }),
  };
}

export function defineFamily<Config extends DenseConfig, Own extends Model>(
  definition: FamilyDefinition<Config, Own>,
): Family<Config, Own> {
  const { kind, schema, pictures } = definition;
  const is = (config: DenseConfig): config is Config => config.kind === kind;
  const own = (config: DenseConfig): Config => {
    if (is(config)) return config;
    throw new RangeError(`expected the configuration of a ${kind}, got one of a ${config.kind}`);
  };
  return {
    kind,
    schema,
    is,
    holds: <Any extends AnyDenseModel>(any: Any): any is AnyDenseModel<Own, ParamsOf<Own>> & Any =>
      any.kind === kind,
    make: (config) => definition.build(own(config)),
    towers: (config) => definition.towers(own(config)),
    ...(pictures === undefined ? {} : { pictures: picturesOf(pictures, own) }),
    classes: (config) => definition.classes?.(own(config)) ?? 0,
    summary: (config) => definition.summary(own(config)),
  };
}
