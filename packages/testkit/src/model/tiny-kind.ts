import type { Model, Splits, Task } from '@winnow/core';
import { toyData, toyTask } from '../data/toy-data';
import { toyDetection, toyDetectionTask } from '../data/toy-detection';
import { toyGrounding, toyGroundingTask } from '../data/toy-grounding';
import { toyMasks, toySegmentation } from '../data/toy-masks';
import { toyPairs, toyRetrieval } from '../data/toy-pairs';
import { toyRegionTask, toyRegions } from '../data/toy-regions';
import { toyTold, toyToldTask } from '../data/toy-told';
import { padding } from './cross-encoder';
import { tinyCrossEncoder, tinyCrossEncoderVariant } from './tiny-cross-encoder';
import {
  tinyDualEncoder,
  tinyDualEncoderVariant,
  tinySigmoidEncoder,
  tinySigmoidEncoderVariant,
  tinyTwinsVariant,
} from './tiny-dual-encoder';
import { tinyGlip, tinyGlipVariant } from './tiny-glip';
import { tinyLxmert, tinyLxmertVariant } from './tiny-lxmert';
import { tinyMdetr, tinyMdetrVariant } from './tiny-mdetr';
import { type TinyModel, tinyModel, tinyVariant } from './tiny-model';
import { tinySegmenter, tinySegmenterVariant } from './tiny-segmenter';
import { tinyUniter, tinyUniterVariant } from './tiny-uniter';

/** One kind of model in miniature, with data to learn from: all that a law may ask of what it compresses. */
export interface TinyKind {
  readonly name: string;
  makeModel(): TinyModel;
  /** Makes a model of another geometry, drawn from the seed. */
  makeVariant(seed: number): TinyModel;
  readonly data: Splits<unknown>;
  taskOf(model: Model): Task;
  /** Names of the laws that it adds something to; missing, all of them. */
  readonly laws?: RegExp;
}

const size = 48;

export const visionTransformers: TinyKind = {
  name: 'vision transformer',
  makeModel: tinyModel,
  makeVariant: tinyVariant,
  data: toyData({ size }),
  taskOf: toyTask,
};

export const dualEncoders: TinyKind = {
  name: 'dual encoder',
  makeModel: tinyDualEncoder,
  makeVariant: tinyDualEncoderVariant,
  data: toyPairs({ size }),
  taskOf: toyRetrieval,
};

/** SigLIP: a pool that is neither block nor head, and pairs that are told right or wrong one by one. */
export const sigmoidEncoders: TinyKind = {
  name: 'sigmoid dual encoder',
  makeModel: tinySigmoidEncoder,
  makeVariant: tinySigmoidEncoderVariant,
  data: toyPairs({ size, fillsContext: true }),
  taskOf: (model) => toyRetrieval(model, 'sigmoid'),
  // In all else it is a dual encoder.
  laws: /masked and cut|smallest budget|same seed|killed/,
};

/** For methods that compare the towers column by column. */
export const twinEncoders: TinyKind = {
  ...dualEncoders,
  name: 'dual encoder of equal towers',
  makeVariant: tinyTwinsVariant,
};

/** A family that no other package knows: cross-attention, two widths, padding, norms after, one module run twice. */
export const crossEncoders: TinyKind = {
  name: 'cross encoder',
  makeModel: tinyCrossEncoder,
  makeVariant: tinyCrossEncoderVariant,
  data: toyTold({ size }, padding),
  taskOf: toyToldTask,
};

/** For grounding: two equal towers under layers that no method may touch, and a loss with a search for the least costs in it. */
export const groundingModels: TinyKind = {
  name: 'grounding model',
  makeModel: tinyMdetr,
  makeVariant: tinyMdetrVariant,
  data: toyGrounding({ size }),
  taskOf: toyGroundingTask,
};

/** For detection: two equal towers under a head that no method may touch, of one grid or three, and a loss that assigns by anchors. */
export const detectors: TinyKind = {
  name: 'detector',
  makeModel: tinyGlip,
  makeVariant: tinyGlipVariant,
  data: toyDetection({ size }),
  taskOf: toyDetectionTask,
};

/** Segmenters: a decoder with blocks of its own above the encoder, and a loss over the pixels that count. */
export const segmenters: TinyKind = {
  name: 'segmenter',
  makeModel: tinySegmenter,
  makeVariant: tinySegmenterVariant,
  data: toyMasks({ size }),
  taskOf: toySegmentation,
};

/** UNITER: words and regions in one trunk, norms behind the layers. */
export const uniters: TinyKind = {
  name: 'UNITER',
  makeModel: tinyUniter,
  makeVariant: tinyUniterVariant,
  data: toyRegions({ size }),
  taskOf: toyRegionTask,
};

/** LXMERT: a cross-attention that is used both ways, and a stream whose last states nobody reads. */
export const lxmerts: TinyKind = {
  name: 'LXMERT',
  makeModel: tinyLxmert,
  makeVariant: tinyLxmertVariant,
  data: toyRegions({ size }),
  taskOf: toyRegionTask,
};

/** Every kind that a method must be able to compress, unless it says that it cannot. */
export const tinyKinds: readonly TinyKind[] = [
  visionTransformers,
  dualEncoders,
  sigmoidEncoders,
  crossEncoders,
];
