import type { Activation, DualEncoderConfig } from '@winnow/core';
import type { Checkpoint } from '../checkpoint/checkpoint';
import type { ImportOptions, Reading } from '../checkpoint/reading';
import { FormatError } from '../file/format-error';
import { fromOpenClipConfig, openClipConfigOfShapes } from './clip-config';
import { openClipNaming } from './clip-naming';

/** Names of the numbers that OpenAI's own files hold beside the weights. */
const OPENAI_NUMBERS = ['input_resolution', 'context_length', 'vocab_size'];

/**
 * A CLIP of open_clip, or of OpenAI's own code, whose files come without a configuration; `undefined` for any other
 * checkpoint.
 * @throws {FormatError} when its `open_clip_config.json` says something that we do not have, or nothing says which
 * activation it needs.
 */
export function openClip(
  checkpoint: Checkpoint,
  options: ImportOptions,
): Reading<DualEncoderConfig> | undefined {
  const { tensors, openClipConfig } = checkpoint;
  const anchors = ['visual.class_embedding', 'token_embedding.weight'];
  if (!anchors.every((name) => tensors.has(name))) return undefined;
  const config =
    openClipConfig === undefined
      ? openClipConfigOfShapes(checkpoint, activationOf(checkpoint, options))
      : fromOpenClipConfig(checkpoint, openClipConfig);
  return {
    config,
    naming: openClipNaming({
      textProjection: tensors.has('text_projection.weight') ? 'linear' : 'parameter',
      logitScale: tensors.get('logit_scale')?.shape.length === 1 ? 'vector' : 'scalar',
    }),
    leftOut: (name) => {
      if (OPENAI_NUMBERS.includes(name)) return 'the shapes of the weights say it';
      if (name === 'attn_mask') return 'the causal mask is not stored';
      return undefined;
    },
  };
}

function activationOf({ file, tensors }: Checkpoint, { activation }: ImportOptions): Activation {
  if (activation !== undefined) return activation;
  if (OPENAI_NUMBERS.every((name) => tensors.has(name))) return 'quick-gelu';
  throw new FormatError(
    `${file}: expected to learn from open_clip_config.json whether this CLIP needs quick-GELU (OpenAI's weights do) or ` +
      'GELU, got no such file; put it beside the weights, or say it with --activation of winnow import or winnow train (the option `activation`)',
  );
}
