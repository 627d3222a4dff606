import type { ClipTextConfig, DualEncoderConfig } from '@winnow/core';
import type { Checkpoint } from '../checkpoint/checkpoint';
import { checkLayers } from '../checkpoint/layers';
import type { Reading } from '../checkpoint/reading';
import { FormatError } from '../file/format-error';
import { type HuggingFaceClipConfig, fromClipConfig, projectionOf, readClipConfig } from './clip-config';
import { clipNaming, clipTextNaming } from './clip-naming';
import { configOf } from './config-file';

const TEXT_PROJECTION = 'text_projection.weight';

/**
 * A CLIPModel or a CLIPTextModelWithProjection of Hugging Face; `undefined` for any other checkpoint.
 * @throws {FormatError} when its `config.json` is missing or says something that we do not have, or its text tower comes
 * without a projection.
 */
export function huggingFaceClip(
  checkpoint: Checkpoint,
): Reading<ClipTextConfig | DualEncoderConfig> | undefined {
  const names = [...checkpoint.tensors.keys()];
  if (!names.some((name) => /(^|\.)embeddings\.(token_embedding\.weight|class_embedding)$/.test(name))) {
    return undefined;
  }
  const stated = configOf(checkpoint);
  const theirs = readClipConfig(stated);
  if (theirs.kind === 'clip-text') checkProjection(checkpoint, theirs.text);
  checkLayers(checkpoint, {
    prefix: 'text_model.encoder.layers.',
    stated: theirs.text.num_hidden_layers,
    source: `num_hidden_layers of the text tower in ${stated.file}`,
  });
  if (theirs.kind === 'dual-encoder') {
    checkLayers(checkpoint, {
      prefix: 'vision_model.encoder.layers.',
      stated: theirs.vision.num_hidden_layers,
      source: `num_hidden_layers of the vision tower in ${stated.file}`,
    });
  }
  const config = fromClipConfig(theirs);
  return {
    config,
    naming: config.kind === 'clip-text' ? clipTextNaming : clipNaming,
    leftOut: (name) =>
      /(^|\.)embeddings\.position_ids$/.test(name) ? 'positions are counted, not stored' : undefined,
  };
}

function checkProjection({ file, tensors }: Checkpoint, text: HuggingFaceClipConfig['text']): void {
  if (tensors.has(TEXT_PROJECTION)) return;
  throw new FormatError(
    `${file}: missing ${TEXT_PROJECTION} [${projectionOf(text)}, ${text.hidden_size}]: this is a CLIPTextModel, whose ` +
      'states are not in the space of the pictures; save it as a CLIPTextModelWithProjection, or give the whole CLIPModel',
  );
}
