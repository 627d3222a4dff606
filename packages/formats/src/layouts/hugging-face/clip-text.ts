import { type ClipTextConfig, clipTextFamily } from '@winnow/core';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { FormatError } from '../../file/format-error';
import { checkJson } from '../../file/json';
import { defineLayout } from '../layout';
import { namingOf } from '../naming';
import {
  CLIP,
  type TextConfig,
  checkTextLayers,
  clipText,
  clipTextNames,
  hasClipNames,
  isPositionBuffer,
  textBlocks,
  textConfig,
  theirText,
} from './clip';
import { configOf } from './config-file';

const TEXT_PROJECTION = 'text_projection.weight';

/** Our paths → the names in a CLIPTextModelWithProjection. */
export const clipTextNaming = namingOf({
  towers: { '': textBlocks },
  outside: { ...clipTextNames, projection: TEXT_PROJECTION },
});

/** P of a text tower by itself. */
const projectionOf = ({ projection_dim }: Pick<TextConfig, 'projection_dim'>): number =>
  projection_dim ?? 512;

/** CLIPTextModelWithProjection. */
export const huggingFaceClipText = defineLayout<ClipTextConfig>({
  family: clipTextFamily,
  source: 'Hugging Face',
  models: CLIP,
  anchors: ['token_embedding.weight'],
  recognises: hasClipNames,
  modelTypes: { clip_text_model: 'clip_text_model (the text tower with its projection)' },
  read: (checkpoint) => {
    const stated = configOf(checkpoint);
    const theirs = checkJson(stated.file, stated.json, textConfig, `the configuration of ${CLIP}`);
    checkProjection(checkpoint, theirs);
    checkTextLayers(checkpoint, theirs, stated);
    return {
      config: { kind: 'clip-text', ...clipText(theirs), projectionDim: projectionOf(theirs) },
      naming: clipTextNaming,
      leftOut: isPositionBuffer,
    };
  },
  write: (config) => ({
    json: {
      architectures: ['CLIPTextModelWithProjection'],
      model_type: 'clip_text_model',
      ...theirText(config, config.projectionDim),
    },
    naming: clipTextNaming,
  }),
});

function checkProjection({ file, tensors }: Checkpoint, text: TextConfig): void {
  if (tensors.has(TEXT_PROJECTION)) return;
  throw new FormatError(
    `${file}: missing ${TEXT_PROJECTION} [${projectionOf(text)}, ${text.hidden_size}]: this is a CLIPTextModel, whose ` +
      'states are not in the space of the pictures; save it as a CLIPTextModelWithProjection, or give the whole CLIPModel',
  );
}
