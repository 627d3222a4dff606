import { z } from 'zod';
import { count, only, side, wholeObject } from '../fields';
import { immaterialToText, normKwargs, refusedOfTowers } from './fields';

const must = <Value extends string | boolean>(value: Value, because: string) =>
  z.literal(value, `expected ${String(value)}: ${because}`);

const readsLast = 'other text towers beside a vision tower of timm are not supported';
const embedsByPool = 'only vision towers whose attention pool is the embedding are supported';

/** A vision tower of timm by its name, whose shapes the tensors say. */
const visionConfig = wholeObject({
  understood: {
    image_size: side('pictures').default(224),
    timm_model_name: z.string('expected the name of a model of timm').min(1).max(256),
    timm_pool: must('map', embedsByPool),
    timm_proj: must('none', embedsByPool),
  },
  refused: {},
  // A model of timm overrides what is said of the tower.
  immaterial: [
    ...['head_width', 'layers', 'mlp_ratio', 'patch_dropout', 'patch_size', 'pool_type', 'width'],
    ...['timm_drop', 'timm_drop_path', 'timm_model_pretrained', 'timm_proj_bias', 'output_tokens'],
  ],
});

const { act_kwargs: _, ...refused } = refusedOfTowers;

const textConfig = wholeObject({
  understood: {
    ...normKwargs,
    act_kwargs: z.strictObject({ approximate: z.enum(['none', 'tanh']).default('none') }).nullish(),
    context_length: count.default(77),
    vocab_size: count.default(49408),
    width: count.default(512),
    heads: count.default(8),
    layers: count.default(12),
    mlp_ratio: z.number().positive().default(4),
    pool_type: must('last', readsLast),
    no_causal_mask: must(true, readsLast),
    proj_bias: must(true, readsLast),
  },
  refused: {
    ...refused,
    hf_model_name: only(null, 'text towers of Hugging Face are not supported in an open_clip model'),
    embed_cls: only(false, 'texts with a class token are not supported'),
    proj: only('linear', 'other projections are not supported'),
    proj_type: only('linear', 'other projections are not supported'),
  },
  immaterial: [...immaterialToText, 'eos_id'],
}).refine(({ width, heads }) => width % heads === 0, {
  path: ['width'],
  message: 'expected a multiple of heads',
});

const modelConfig = wholeObject({
  understood: { embed_dim: count, vision_cfg: visionConfig, text_cfg: textConfig },
  refused: {
    quick_gelu: only(false, 'a SigLIP has GELUs'),
    multimodal_cfg: only(null, 'a third tower, as in CoCa, is not supported'),
  },
  immaterial: [
    ...['cast_dtype', 'custom_text', 'init_logit_bias', 'init_logit_scale', 'nonscalar_logit_scale'],
    'output_dict',
  ],
});
export type SiglipConfig = z.output<typeof modelConfig>;

/** The whole file of a SigLIP. */
export const openClipSiglipConfig = wholeObject({
  understood: { model_cfg: modelConfig },
  refused: {},
  immaterial: ['preprocess_cfg'],
});
