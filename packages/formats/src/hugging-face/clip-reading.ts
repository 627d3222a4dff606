import type { ClipTextConfig, DualEncoderConfig } from '@winnow/core';
import type { Checkpoint } from '../checkpoint/checkpoint';
import type { Reading } from '../checkpoint/reading';
import { FormatError } from '../file/format-error';
import { fromClipConfig } from './clip-config';
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
  const { file, json } = configOf(checkpoint);
  const config = fromClipConfig(file, json);
  if (config.kind === 'clip-text') checkProjection(checkpoint, config);
  return {
    config,
    naming: config.kind === 'clip-text' ? clipTextNaming : clipNaming,
    leftOut: (name) =>
      /(^|\.)embeddings\.position_ids$/.test(name) ? 'positions are counted, not stored' : undefined,
  };
}

function checkProjection({ file, tensors }: Checkpoint, { projectionDim, tower }: ClipTextConfig): void {
  if (tensors.has(TEXT_PROJECTION)) return;
  throw new FormatError(
    `${file}: missing ${TEXT_PROJECTION} [${projectionDim}, ${tower.embedDim}]: this is a CLIPTextModel, whose states are ` +
      'not in the space of the pictures; save it as a CLIPTextModelWithProjection, or give the whole CLIPModel',
  );
}
