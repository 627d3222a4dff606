import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { type Layer, type Use, bare, placed, repeated, together } from '../layers/layer';
import { type LinearParams, linearLayer } from '../layers/linear';
import { type ParameterSpec, constant } from '../layers/parameter';
import type { BlipConfig, BlipUsage, Passes } from './blip-config';
import { type TextStackParams, textStack } from './text-stack';
import type { TextStackConfig } from './text-stack-config';
import { type VisionTowerParams, visionTower } from './vision-tower';

export type BlipParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  vision: VisionTowerParams<Matrix, Vector>;
  encoder?: TextStackParams<Matrix, Vector>;
  decoder?: TextStackParams<Matrix, Vector>;
  judge?: {
    first: LinearParams<Matrix, Vector>; // [D, D]
    last: LinearParams<Matrix, Vector>; // [D, 2]
  };
  embeddings?: {
    vision: LinearParams<Matrix, Vector>; // [D_v, P]
    text: LinearParams<Matrix, Vector>; // [D, P]
    match: LinearParams<Matrix, Vector>; // [D, 2]
    logitScale?: Vector; // [1], the logarithm of 1/temperature
  };
};

/** The temperature of BLIP before it is learned. */
const START_TEMPERATURE = 0.07;

/** The parts of a BLIP, and all of them as one layer. */
export function blipParts(config: BlipConfig, usage: BlipUsage) {
  const { encoder: reading, decoder: writing, embeddings, purpose } = config;
  const { embedDim: width } = config.vision.tower;
  const vision = visionTower(config.vision);
  const encoder =
    reading === undefined
      ? undefined
      : textStack(reading, {
          memoryDim: width,
          texts: usage.alone + usage.read.memories * usage.read.texts,
          cross: looksOf(reading, usage.read, vision.left),
        });
  const written = usage.written.memories * usage.written.texts;
  const decoder =
    writing === undefined
      ? undefined
      : textStack(writing, {
          memoryDim: reading?.embedDim ?? width,
          texts: written,
          cross: looksOf(writing, usage.written, reading?.context ?? vision.left),
          written,
        });
  const D = reading?.embedDim ?? width;
  const read = usage.read.memories * usage.read.texts;
  const stackAt = (key: 'encoder' | 'decoder', layer: Layer<TextStackParams<ParameterSpec, ParameterSpec>>) =>
    placed({ tower: key, config: key }, layer);
  const layer: Layer<BlipParams<ParameterSpec, ParameterSpec>> = together({
    vision: repeated(usage.pictures, placed({ tower: 'vision', config: 'vision' }, vision.layer)),
    ...(encoder === undefined ? {} : { encoder: stackAt('encoder', encoder.layer) }),
    ...(decoder === undefined ? {} : { decoder: stackAt('decoder', decoder.layer) }),
    ...(purpose === 'statements'
      ? { judge: placed(onOneToken(read), together({ first: linearLayer(D, D), last: linearLayer(D, 2) })) }
      : {}),
    ...(embeddings === undefined
      ? {}
      : {
          embeddings: together({
            vision: placed(onOneToken(usage.pictures), linearLayer(width, embeddings.projectionDim)),
            text: placed(onOneToken(usage.alone), linearLayer(D, embeddings.projectionDim)),
            match: placed(onOneToken(read), linearLayer(D, 2)),
            ...(embeddings.temperature === undefined
              ? {}
              : { logitScale: bare(constant([1], Math.log(1 / START_TEMPERATURE))) }),
          }),
        }),
  });
  return { vision, encoder, decoder, layer };
}

/** One use for each memory: all tokens of its texts look at it. */
const looksOf = ({ context }: TextStackConfig, { memories, texts }: Passes, seen: number): Use[] =>
  Array.from({ length: memories }, () => ({ tokens: texts * context, context: seen }));

const onOneToken = (times: number) => ({ uses: Array.from({ length: times }, (): Use => ({ tokens: 1 })) });
