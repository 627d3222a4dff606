import {
  type Activation,
  type PictureSize,
  isSameSize,
  pictureSizeOf,
  sidesOf,
  sizeText,
} from '@winnow/core';
import { z } from 'zod';
import type { JsonFile } from '../../checkpoint/checkpoint';
import { FormatError } from '../../file/format-error';
import { checkJson } from '../../file/json';
import { count, only, pictureSize, side, wholeObject } from '../fields';

const activations = {
  gelu: 'gelu',
  gelu_tanh: 'gelu-tanh',
  quick_gelu: 'quick-gelu',
} as const satisfies Record<string, Activation>;

/**
 * Arguments that timm's VisionTransformer is made with. Those that the shapes of the tensors say too are compared with
 * them.
 */
const modelFields = {
  img_size: pictureSize.nullish(),
  patch_size: side('patches').nullish(),
  in_chans: count.nullish(),
  embed_dim: count.nullish(),
  depth: count.nullish(),
  num_heads: count.nullish(),
  mlp_ratio: z.number().positive().nullish(),
  /** Say what the tensors may leave open. */
  global_pool: z
    .enum(
      ['token', '', 'avg', 'map'],
      'expected token, avg or map: models that pool otherwise are not supported',
    )
    .nullish(),
  no_embed_class: z.boolean().nullish(),
  /** Compared with what the tensors say. */
  class_token: z.boolean().nullish(),
  reg_tokens: z.int().nonnegative().nullish(),
  init_values: z.number().nullish(),
  qkv_bias: z.boolean().nullish(),
  pre_norm: z.boolean().nullish(),
  fc_norm: z.boolean().nullish(),
  act_layer: z
    .enum(
      ['gelu', 'gelu_tanh', 'quick_gelu'],
      'expected gelu, gelu_tanh or quick_gelu: other activations are not supported',
    )
    .nullish(),
};

const refusedOfModel = {
  norm_layer: only('layernorm', 'other norms are not supported'),
  pos_embed: only('learn', 'models without learned positions are not supported'),
  proj_bias: only(true, 'models without these biases are not supported'),
  qk_norm: only(false, 'norms within attention are not supported'),
  scale_attn_norm: only(false, 'norms within attention are not supported'),
  scale_mlp_norm: only(false, 'norms within the feed-forward network are not supported'),
  embed_norm_layer: only(null, 'a norm of the patches is not supported'),
  final_norm: only(true, 'models without a last norm are not supported'),
  pool_include_prefix: only(false, 'models that pool otherwise are not supported'),
  representation_size: only(null, 'a layer before the classifier is not supported'),
  use_naflex: only(false, 'pictures of any shape are not supported'),
};

/**
 * Arguments of a training, or for pictures of another size than the model's. The classifier's shape says how many
 * classes there are.
 */
const immaterialToModel = [
  ...['attn_drop_rate', 'distilled', 'drop_block_rate', 'drop_path_rate', 'drop_rate', 'dynamic_img_pad'],
  ...['dynamic_img_size', 'fix_init', 'num_classes', 'patch_drop_rate', 'pos_drop_rate', 'pretrained_strict'],
  ...['proj_drop_rate', 'strict_img_size', 'weight_init'],
];

/** Facts that timm keeps about published weights. (Mean and deviation of the pictures are read elsewhere.) */
const weightsFields = {
  input_size: z.tuple([count, count, count], 'expected channels, height and width').nullish(),
  fixed_input_size: z.boolean().nullish(),
};
const refusedOfWeights = {
  label_offset: only(0, 'a classifier with rows that count for no class is not supported'),
};

const immaterialToWeights = [
  ...[
    'architecture',
    'classifier',
    'crop_mode',
    'crop_pct',
    'custom_load',
    'description',
    'file',
    'first_conv',
  ],
  ...[
    'hf_hub_filename',
    'hf_hub_id',
    'interpolation',
    'label_descriptions',
    'label_names',
    'labels',
    'license',
  ],
  ...['mean', 'min_input_size', 'notes', 'num_classes', 'num_features', 'origin_url', 'paper_ids'],
  ...[
    'paper_name',
    'pool_size',
    'source',
    'std',
    'tag',
    'test_crop_pct',
    'test_input_size',
    'test_pool_size',
  ],
  ...['url'],
];

const modelArgs = { understood: modelFields, refused: refusedOfModel, immaterial: immaterialToModel };
const weights = { understood: weightsFields, refused: refusedOfWeights, immaterial: immaterialToWeights };

/** Newer files keep what the model is and what is known of its weights apart; older ones have all of it at the top. */
const timmConfig = wholeObject({
  understood: {
    ...modelFields,
    ...weightsFields,
    architecture: z.string().nullish(),
    model_args: wholeObject(modelArgs).nullish(),
    pretrained_cfg: wholeObject(weights).nullish(),
  },
  refused: { ...refusedOfModel, ...refusedOfWeights },
  immaterial: [...immaterialToModel, ...immaterialToWeights],
});

/** The part of a `config.json` beside timm weights that their tensors do not say. */
export interface TimmConfiguration {
  readonly architecture: string | undefined;
  readonly heads: number | undefined;
  readonly activation: Activation | undefined;
  /** `avg`, `token`, `map` or nothing. */
  readonly pool: 'avg' | 'token' | 'map' | undefined;
  /** Initial value of the layer scale. */
  readonly layerScale: number | undefined;
}

/** The sizes of a model that its tensors say. */
export interface TimmShapes {
  readonly imageSize: PictureSize;
  readonly patchSize: number;
  readonly channels: number;
  readonly embedDim: number;
  readonly layers: number;
  readonly hiddenDim: number;
  readonly hasClassToken: boolean;
  readonly registers: number;
  readonly hasLayerScale: boolean;
  readonly hasInputBias: boolean;
  readonly hasEmbeddingNorm: boolean;
  readonly hasMeanNorm: boolean;
}

/**
 * Reads a configuration whole: what it says of a model's shape must be what the tensors say.
 * @throws {FormatError} with the path inside the JSON.
 */
export function readTimmConfig({ file, json }: JsonFile, shapes: TimmShapes): TimmConfiguration {
  const config = checkJson(file, json, timmConfig, 'the configuration of a ViT or DeiT of timm');
  const { model_args: inner, pretrained_cfg: published } = config;
  checkModel(file, '', config, shapes);
  if (inner) checkModel(file, 'model_args.', inner, shapes);
  checkInput(file, published ? 'pretrained_cfg.' : '', published ?? config, {
    ...shapes,
    isSaid: (inner?.img_size ?? config.img_size ?? undefined) !== undefined,
  });
  const activation = inner?.act_layer ?? config.act_layer;
  return {
    architecture: config.architecture ?? undefined,
    heads: inner?.num_heads ?? config.num_heads ?? undefined,
    activation: activation ? activations[activation] : undefined,
    pool: poolOf(said(inner?.global_pool, config.global_pool)),
    layerScale: said(inner?.init_values, config.init_values),
  };
}

const placement = z.looseObject({ img_size: pictureSize.nullish(), no_embed_class: z.boolean().nullish() });
const placed = placement.extend({
  ...weightsFields,
  model_args: placement.nullish(),
  pretrained_cfg: z.looseObject(weightsFields).nullish(),
});

/** The part of a configuration that decides how many patches there are, and which tokens have positions. */
export interface SaidPositions {
  /** Only patches have positions; undefined where nothing is said. */
  readonly patchesOnly: boolean | undefined;
  /** The size of the model's pictures; undefined where nothing is said. */
  readonly imageSize: PictureSize | undefined;
}

/** @throws {FormatError} with the path inside the JSON. */
export function saidPositions({ file, json }: JsonFile): SaidPositions {
  const { model_args: inner, pretrained_cfg: published, ...outer } = checkJson(file, json, placed);
  const { input_size: input, fixed_input_size: isFixed } = published ?? outer;
  const ofInput =
    input && isFixed !== false ? pictureSizeOf({ height: input[1], width: input[2] }) : undefined;
  return {
    patchesOnly: said(inner?.no_embed_class, outer.no_embed_class),
    imageSize: said(inner?.img_size, outer.img_size, ofInput),
  };
}

/** The first that is said. */
const said = <Value>(...values: readonly (Value | null | undefined)[]): Value | undefined =>
  values.find((value) => value !== null && value !== undefined) ?? undefined;

const poolOf = (pool: 'token' | '' | 'avg' | 'map' | undefined): TimmConfiguration['pool'] =>
  pool === '' ? undefined : pool;

type ModelFields = z.output<z.ZodObject<typeof modelFields>>;
type WeightsFields = z.output<z.ZodObject<typeof weightsFields>>;

type Said = number | string | boolean;

function checkModel(file: string, place: string, fields: ModelFields, shapes: TimmShapes): void {
  const { imageSize, patchSize, channels, embedDim, layers, hiddenDim } = shapes;
  const { mlp_ratio: ratio, init_values: initial } = fields;
  const compared: readonly (readonly [name: string, said: Said | null | undefined, found: Said])[] = [
    ['img_size', fields.img_size ? sizeText(fields.img_size) : undefined, sizeText(imageSize)],
    ['patch_size', fields.patch_size, patchSize],
    ['in_chans', fields.in_chans, channels],
    ['embed_dim', fields.embed_dim, embedDim],
    ['depth', fields.depth, layers],
    ['class_token', fields.class_token, shapes.hasClassToken],
    ['reg_tokens', fields.reg_tokens, shapes.registers],
    ['qkv_bias', fields.qkv_bias, shapes.hasInputBias],
    ['pre_norm', fields.pre_norm, shapes.hasEmbeddingNorm],
    ['fc_norm', fields.fc_norm, shapes.hasMeanNorm],
    // With 0 there is none in timm either.
    ['init_values', initial && !shapes.hasLayerScale ? initial : undefined, 'no layer scale'],
    [
      'mlp_ratio',
      ratio && Math.trunc(ratio * embedDim) === hiddenDim ? undefined : ratio,
      hiddenDim / embedDim,
    ],
  ];
  for (const [name, said, found] of compared) {
    if (said !== undefined && said !== null && said !== found)
      throw otherShape(file, place + name, String(found), String(said));
  }
}

function checkInput(
  file: string,
  place: string,
  { input_size: size, fixed_input_size: isFixed }: WeightsFields,
  { channels, imageSize, isSaid }: TimmShapes & { readonly isSaid: boolean },
): void {
  if (!size) return;
  const [depth, height, width] = size;
  // Where the model takes pictures of any size, this is one of them.
  const isOther = !isSaid && isFixed !== false && !isSameSize({ height, width }, imageSize);
  if (depth === channels && !isOther) return;
  throw otherShape(
    file,
    `${place}input_size`,
    [channels, ...Object.values(sidesOf(imageSize))].join(' × '),
    size.join(' × '),
  );
}

const otherShape = (
  file: string,
  place: string,
  found: number | string,
  said: number | string,
): FormatError =>
  new FormatError(`${file}: at ${place}: expected ${found}, as the tensors have it, got ${said}`);
