import { z } from 'zod';
import { count, only, pictureSize, side, wholeObject } from '../fields';
import { hasWholePatches, wholePatches } from '../patches';

/** Width of a head in published models. */
export const HEAD_WIDTH = 64;
/** PyTorch's own. */
export const NORM_EPSILON = 1e-5;

export const normKwargs = {
  norm_kwargs: z.strictObject({ eps: z.number().positive().default(NORM_EPSILON) }).nullish(),
};

const blocks = 'such blocks are not supported';
export const refusedOfTowers = {
  ls_init_value: only(null, 'layer scale is not supported'),
  final_ln_after_pool: only(false, 'towers that are normalised after they are pooled are not supported'),
  act_kwargs: only(null, 'activations with options are not supported'),
  block_type: only('default', blocks),
  qk_norm: only(false, blocks),
  scaled_cosine_attn: only(false, blocks),
  scale_heads: only(false, blocks),
  scale_attn_inner: only(false, blocks),
  scale_attn: only(false, blocks),
  scale_fc: only(false, blocks),
};

const poolsOtherwise = 'towers that pool otherwise are not supported';

const visionConfig = wholeObject({
  understood: {
    ...normKwargs,
    image_size: pictureSize.default(224),
    patch_size: side('patches').default(16),
    layers: z.int('expected a number of layers: ResNets are not supported').positive().default(12),
    width: count.default(768),
    head_width: count.default(HEAD_WIDTH),
    mlp_ratio: z.number().positive().default(4),
  },
  refused: {
    ...refusedOfTowers,
    timm_model_name: only(null, 'vision towers of timm are not supported in a CLIP'),
    pool_type: only('tok', poolsOtherwise),
    global_average_pool: only(false, poolsOtherwise),
    attentional_pool: only(false, poolsOtherwise),
    no_ln_pre: only(false, 'towers without a norm before the first block are not supported'),
    input_patchnorm: only(false, 'patches that are normalised are not supported'),
    pos_embed_type: only('learnable', 'other positions are not supported'),
  },
  immaterial: [
    ...['attn_pooler_heads', 'attn_pooler_queries', 'n_queries', 'output_tokens', 'patch_dropout'],
    ...['timm_drop', 'timm_drop_path', 'timm_model_pretrained', 'timm_pool', 'timm_proj', 'timm_proj_bias'],
  ],
});

export const immaterialToText = [
  ...['attn_pooler_heads', 'hf_model_pretrained', 'hf_pooler_type', 'hf_proj_type', 'hf_tokenizer_name'],
  ...['output_tokens', 'pad_id', 'tokenizer_kwargs', 'tokenizer_mode'],
];

const textConfig = wholeObject({
  understood: {
    ...normKwargs,
    context_length: count.default(77),
    vocab_size: count.default(49408),
    width: count.default(512),
    heads: count.default(8),
    layers: count.default(12),
    mlp_ratio: z.number().positive().default(4),
    pool_type: z.enum(['argmax', 'eos'], `expected argmax or eos: ${poolsOtherwise}`).default('argmax'),
    eos_id: z.int().nonnegative().default(2),
  },
  refused: {
    ...refusedOfTowers,
    hf_model_name: only(null, 'text towers of Hugging Face are not supported in an open_clip model'),
    no_causal_mask: only(false, 'text towers without a causal mask are not supported'),
    embed_cls: only(false, 'texts with a class token are not supported'),
    attentional_pool: only(false, poolsOtherwise),
    proj: only('linear', 'other projections are not supported'),
    proj_type: only('linear', 'other projections are not supported'),
    proj_bias: only(false, 'projections with a bias are not supported'),
  },
  immaterial: immaterialToText,
});

/** A model of two transformers. */
export const modelConfig = wholeObject({
  understood: {
    embed_dim: count,
    quick_gelu: z.boolean().default(false),
    vision_cfg: visionConfig
      .refine(hasWholePatches, wholePatches)
      .refine(({ width, head_width }) => width % head_width === 0, {
        path: ['width'],
        message: 'expected a multiple of head_width',
      }),
    text_cfg: textConfig
      .refine(({ width, heads }) => width % heads === 0, {
        path: ['width'],
        message: 'expected a multiple of heads',
      })
      .refine(({ pool_type, eos_id, vocab_size }) => pool_type === 'argmax' || eos_id < vocab_size, {
        path: ['eos_id'],
        message: 'expected a token of the vocabulary',
      }),
  },
  refused: {
    custom_text: only(false, 'text towers under names of their own are not supported'),
    init_logit_bias: only(null, 'a bias of the logits, as in SigLIP, is not supported'),
    multimodal_cfg: only(null, 'a third tower, as in CoCa, is not supported'),
  },
  immaterial: ['cast_dtype', 'init_logit_scale', 'nonscalar_logit_scale', 'output_dict'],
});

/** The whole file. `preprocess_cfg` says how pictures are prepared: `readPreprocessor` reads that. */
export const openClipConfig = wholeObject({
  understood: { model_cfg: modelConfig },
  refused: {},
  immaterial: ['preprocess_cfg'],
});

export type ModelConfig = z.output<typeof modelConfig>;
