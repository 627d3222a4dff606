import type {
  BlipConfig,
  ClipTextConfig,
  DualEncoderConfig,
  GlipConfig,
  LxmertConfig,
  MdetrConfig,
  SegmenterConfig,
  TextStackConfig,
  TowerConfig,
  UniterConfig,
  ViltConfig,
  VisionTransformerConfig,
} from '@winnow/core';

/** Layers of other widths each, as after a cut: values of 3 columns beside queries of 5, and so on. */
export const uneven: TowerConfig = {
  embedDim: 16,
  heads: 2,
  denseHeadDim: 8,
  activation: 'gelu',
  causal: false,
  normEpsilon: 1e-6,
  blocks: [
    { headDim: 3, queryKeyDim: 5, hiddenDim: 19 },
    { heads: 1, headDim: 7, hiddenDim: 6 },
  ],
};

const vision: VisionTransformerConfig = {
  kind: 'vision-transformer',
  imageSize: { height: 8, width: 12 },
  patchSize: 4,
  channels: 3,
  distillation: 'none',
  embeddingNorm: false,
  patchBias: true,
  tower: uneven,
  classes: 5,
};

const text: ClipTextConfig = {
  kind: 'clip-text',
  vocabulary: 11,
  context: 7,
  endToken: 9,
  tower: { ...uneven, activation: 'quick-gelu', causal: true },
  projectionDim: 6,
};

const even = [
  { headDim: 4, hiddenDim: 6 },
  { headDim: 4, hiddenDim: 6 },
];
const columns = (query: string, value: string) => ({ query, key: query, value });
/** Half of the columns of the second block are the first one's. */
export const tied: VisionTransformerConfig = {
  ...vision,
  tower: { ...vision.tower, denseHeadDim: 4, blocks: even },
  ties: {
    'blocks.0.attention': { kind: 'share', units: 4, columns: columns('kkkkkkkk', 'kkkkkkkk') },
    'blocks.1.attention': {
      kind: 'share',
      units: 4,
      lender: 'blocks.0.attention',
      columns: columns('bbkkbbkk', 'kkbbkkbb'),
    },
    'blocks.0.ffn': { kind: 'share', units: 6, columns: { hidden: 'kkkkkk' } },
    'blocks.1.ffn': { kind: 'share', units: 6, lender: 'blocks.0.ffn', columns: { hidden: 'bkbkbk' } },
  },
};

/** One model for each thing that a family can say, by what is said. */
export const visionModels: Readonly<Record<string, VisionTransformerConfig>> = {
  'class token': vision,
  'layer scale, no input bias': { ...vision, tower: { ...uneven, layerScale: 0.1, inputBias: false } },
  'distillation head': { ...vision, distillation: 'head' },
  'distillation token': { ...vision, distillation: 'token' },
  'mean of patches': { ...vision, headInput: 'mean', registers: 2 },
  'mean without a class token': { ...vision, headInput: 'mean', classToken: false },
  'norm after the mean': { ...vision, headInput: 'mean', normAfterMean: true },
  'class and mean, registers without positions': {
    ...vision,
    headInput: 'class-and-mean',
    registers: 3,
    positioned: 'without-registers',
  },
  'positions of patches alone': { ...vision, registers: 2, positioned: 'patches' },
  'embedding norm, no patch bias': { ...vision, embeddingNorm: true, patchBias: false },
  'attention pooling': {
    ...vision,
    classToken: false,
    attentionPool: { headDim: 3, hiddenDim: 9 },
    tower: { ...uneven, activation: 'gelu-tanh' },
  },
};

export const textModels: Readonly<Record<string, ClipTextConfig>> = {
  'end token': text,
  'greatest token': { ...text, endToken: 'greatest' },
  'last place': { ...text, endToken: 'last', tower: { ...text.tower, causal: false } },
};

const { kind: _vision, classes: _classes, ...tower } = vision;
const { kind: _text, projectionDim: _width, ...words } = text;
const clip: DualEncoderConfig = {
  kind: 'dual-encoder',
  projectionDim: 6,
  vision: { ...tower, embeddingNorm: true, patchBias: false },
  text: words,
};

export const dualModels: Readonly<Record<string, DualEncoderConfig>> = {
  CLIP: clip,
  SigLIP: {
    ...clip,
    projectionDim: tower.tower.embedDim,
    projections: 'text-alone',
    loss: 'sigmoid',
    vision: { ...tower, classToken: false, attentionPool: { headDim: 3, hiddenDim: 9 } },
    text: { ...words, endToken: 'last', tower: { ...words.tower, causal: false } },
  },
};

const segmenter: SegmenterConfig = {
  kind: 'segmenter',
  vision: tower,
  classes: 3,
  decoder: { kind: 'linear' },
};
const vilt: ViltConfig = {
  kind: 'vilt',
  vision: tower,
  text: { vocabulary: 11, context: 7, endToken: 9, types: 2, normEpsilon: 1e-6 },
  modalities: 3,
  head: { kind: 'answers', answers: 5 },
};
const mdetr: MdetrConfig = {
  kind: 'mdetr',
  vision: tower,
  text: { ...words, tower: { ...words.tower, causal: false } },
  fusion: {
    ...{ width: 16, heads: 2, hiddenDim: 20, encoderLayers: 1, decoderLayers: 2 },
    ...{ queries: 3, alignmentDim: 5 },
  },
};

const uniter: UniterConfig = {
  kind: 'uniter',
  text: { vocabulary: 11, context: 6, positions: 8, endToken: 9, types: 2 },
  regions: { features: 5, places: 7, count: 4 },
  trunk: { blocks: uneven.blocks.map(({ heads: _, ...block }) => block) },
  ...{ embedDim: 16, heads: 2, denseHeadDim: 8, activation: 'gelu', normEpsilon: 1e-12 },
  head: { kind: 'answers', answers: 5 },
};

const lxmert: LxmertConfig = {
  kind: 'lxmert',
  text: { ...uniter.text, blocks: uniter.trunk.blocks },
  vision: { features: 5, places: 4, regions: 3, blocks: uniter.trunk.blocks.slice(0, 1) },
  cross: {
    blocks: uniter.trunk.blocks.map((block) => ({
      cross: { headDim: 5, queryKeyDim: 3 },
      text: block,
      vision: { ...block, hiddenDim: 7 },
    })),
  },
  ...{ embedDim: 16, heads: 2, denseHeadDim: 8, activation: 'gelu', normEpsilon: 1e-12 },
  answers: 5,
};
const { answers: _answers, ...unanswered } = lxmert;
const glip: GlipConfig = {
  kind: 'glip',
  vision: { ...tower, imageSize: { height: 8, width: 16 } },
  text: { ...words, tower: { ...words.tower, causal: false } },
  head: {
    ...{ levels: 'pyramid', width: 12, groups: 3, rounds: 2, deepFusion: true },
    ...{ heads: 2, fusionDim: 10, anchorScale: 3 },
  },
};

/** Models that say more than one thing of a picture, or read texts beside it. */
export const taskModels = {
  'a segmenter with a linear decoder': segmenter,
  'a segmenter with a mask decoder': { ...segmenter, decoder: { kind: 'mask', tower: uneven } },
  'a ViLT for answers': vilt,
  'a ViLT for matching': { ...vilt, head: { kind: 'matching' } },
  'a ViLT for statements': { ...vilt, head: { kind: 'statements' } },
  'a UNITER': uniter,
  'a UNITER for expressions': { ...uniter, head: { kind: 'expressions' } },
  'a UNITER for statements': { ...uniter, head: { kind: 'statements' } },
  'a UNITER for pre-training': { ...uniter, head: { kind: 'pre-training', classes: 3 } },
  'an LXMERT': lxmert,
  'an LXMERT for expressions': { ...unanswered, head: { kind: 'expressions' } },
  'an LXMERT for statements': { ...unanswered, head: { kind: 'statements' } },
  'an LXMERT for pre-training': { ...unanswered, head: { kind: 'pre-training', classes: 3, answers: 4 } },
  'a GLIP': glip,
  'an MDETR': mdetr,
  'an MDETR for questions': { ...mdetr, questions: { answers: [2, 4] } },
} as const satisfies Readonly<
  Record<string, SegmenterConfig | ViltConfig | UniterConfig | LxmertConfig | GlipConfig | MdetrConfig>
>;

const stack: TextStackConfig = {
  ...{ vocabulary: 11, context: 6, positions: 9, embedDim: 12, heads: 2, denseHeadDim: 6 },
  ...{ activation: 'gelu', norm: 'after', normEpsilon: 1e-12 },
  blocks: [
    { headDim: 5, hiddenDim: 9, cross: [{ headDim: 3, queryKeyDim: 2 }] },
    { headDim: 4, queryKeyDim: 3, hiddenDim: 14, cross: [{ headDim: 6 }] },
  ],
};
const ofTwo: TextStackConfig = {
  ...stack,
  blocks: stack.blocks.map((block) => ({ ...block, cross: [...block.cross, { headDim: 4 }] })),
};
const captions: BlipConfig = {
  kind: 'blip',
  purpose: 'captions',
  vision: tower,
  tokens: { start: 8, end: 9, ground: 10 },
  decoder: stack,
};
const { decoder: _decoder, ...reading } = { ...captions, encoder: stack };

const merging = { perBlock: 1 } as const;
const [clipModel, siglip] = Object.values(dualModels);
if (clipModel === undefined || siglip === undefined) throw new Error('expected two dual encoders');

/** Models whose like tokens merge on their way. */
export const mergingModels = {
  'class token': { ...vision, merging },
  'mean of patches, registers': { ...vision, headInput: 'mean', registers: 2, merging: { perBlock: 2 } },
  'mean without a class token, by one count': {
    ...vision,
    headInput: 'mean',
    classToken: false,
    merging: { perBlock: 2, proportional: false },
  },
  'distillation token, fewer and fewer': {
    ...vision,
    distillation: 'head',
    merging: { perBlock: 1, schedule: 'decreasing' },
  },
  'a CLIP': { ...clipModel, vision: { ...clipModel.vision, merging } },
  'a SigLIP': { ...siglip, vision: { ...siglip.vision, merging } },
} as const satisfies Readonly<Record<string, VisionTransformerConfig | DualEncoderConfig>>;

/** BLIPs by their purpose. */
export const blipModels = {
  captions,
  questions: { ...captions, purpose: 'questions', encoder: { ...stack, context: 7 } },
  statements: { ...reading, purpose: 'statements', encoder: ofTwo },
  retrieval: {
    ...reading,
    purpose: 'retrieval',
    encoder: { ...stack, norm: 'before' },
    embeddings: { projectionDim: 6, temperature: 'learned' },
  },
} as const satisfies Readonly<Record<string, BlipConfig>>;
