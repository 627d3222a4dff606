import {
  type BlipConfig,
  type ClipTextConfig,
  type DenseConfig,
  type DualEncoderConfig,
  type GlipConfig,
  type HostTensor,
  type LxmertConfig,
  type MdetrConfig,
  type SegmenterConfig,
  type TextStackConfig,
  type UniterConfig,
  type ViltConfig,
  type VisionTransformerConfig,
  entriesOf,
  modelOf,
  randomStream,
} from '@winnow/core';

const tower = {
  embedDim: 16,
  heads: 2,
  denseHeadDim: 8,
  activation: 'gelu',
  causal: false,
  normEpsilon: 1e-6,
  blocks: [
    { headDim: 3, queryKeyDim: 5, hiddenDim: 19 },
    { headDim: 7, hiddenDim: 6 },
  ],
} as const;
const vision = {
  imageSize: 8,
  patchSize: 4,
  channels: 3,
  distillation: 'none',
  embeddingNorm: false,
  patchBias: true,
  tower,
} as const;
export const plain: VisionTransformerConfig = { kind: 'vision-transformer', ...vision, classes: 3 };
const words = { vocabulary: 11, context: 7, endToken: 9, tower: { ...tower, causal: true } } as const;
export const clip: DualEncoderConfig = {
  kind: 'dual-encoder',
  projectionDim: 6,
  vision: { ...vision, embeddingNorm: true, patchBias: false },
  text: words,
};
const even = { ...tower, denseHeadDim: 4, blocks: [0, 1].map(() => ({ headDim: 4, hiddenDim: 6 })) };
const columns = (letters: string) => ({ query: letters, key: letters, value: letters });
const sharedAttention = (first: string, second: string) => ({
  [first]: { kind: 'share', units: 4, columns: columns('kkkkkkkk') } as const,
  [second]: { kind: 'share', units: 4, lender: first, columns: columns('bbkkbbkk') } as const,
});
const shares = {
  ...sharedAttention('blocks.0.attention', 'blocks.1.attention'),
  'blocks.0.ffn': { kind: 'share', units: 6, columns: { hidden: 'kkkkkk' } },
  'blocks.1.ffn': { kind: 'share', units: 6, lender: 'blocks.0.ffn', columns: { hidden: 'bkbkbk' } },
} as const;

/** A model of each form, cut unevenly, by what it is. */
export const cutModels: Readonly<
  Record<string, VisionTransformerConfig | ClipTextConfig | DualEncoderConfig>
> = {
  'a cut ViT': plain,
  'a ViT of two heads, then of one': {
    ...plain,
    tower: {
      ...tower,
      layerScale: 0.2,
      blocks: [
        { headDim: 8, hiddenDim: 6 },
        { heads: 1, headDim: 8, hiddenDim: 6 },
      ],
    },
  },
  'a ViT with registers, read by class token and mean': {
    ...plain,
    headInput: 'class-and-mean',
    registers: 2,
    tower: { ...tower, layerScale: 0.2 },
  },
  'a distilled DeiT': { ...plain, distillation: 'head' },
  'a ViT with attention pooling': {
    ...plain,
    classToken: false,
    attentionPool: { headDim: 3, hiddenDim: 9 },
  },
  'the text tower of a CLIP': { kind: 'clip-text', ...words, projectionDim: 6 },
  'a CLIP': clip,
  'a SigLIP': {
    ...clip,
    projectionDim: 16,
    projections: 'text-alone',
    loss: 'sigmoid',
    vision: { ...vision, classToken: false, attentionPool: { headDim: 3, hiddenDim: 9 } },
    text: { ...words, endToken: 'last', tower },
  },
  'the text tower of a CLIP whose columns are shared': {
    ...{ kind: 'clip-text', ...words, projectionDim: 6, tower: { ...even, causal: true } },
    ties: sharedAttention('blocks.0.attention', 'blocks.1.attention'),
  },
  'a ViT whose columns are shared': { ...plain, tower: even, ties: shares },
  'a CLIP whose towers share columns': {
    ...clip,
    vision: { ...clip.vision, tower: even },
    text: { ...words, tower: { ...even, causal: true } },
    ties: sharedAttention('text.blocks.0.attention', 'vision.blocks.0.attention'),
  },
};

const segmenter: SegmenterConfig = { kind: 'segmenter', vision, classes: 3, decoder: { kind: 'linear' } };
const vilt: ViltConfig = {
  kind: 'vilt',
  vision,
  text: { vocabulary: 11, context: 7, endToken: 9, types: 2, normEpsilon: 1e-6 },
  modalities: 2,
  head: { kind: 'answers', answers: 5 },
};
const uniter: UniterConfig = {
  kind: 'uniter',
  text: { vocabulary: 11, context: 6, positions: 8, endToken: 9, types: 2 },
  regions: { features: 5, places: 7, count: 4 },
  trunk: { blocks: tower.blocks },
  ...{ embedDim: 16, heads: 2, denseHeadDim: 8, activation: 'gelu', normEpsilon: 1e-12 },
  head: { kind: 'answers', answers: 5 },
};
const lxmert: LxmertConfig = {
  kind: 'lxmert',
  text: { ...uniter.text, blocks: tower.blocks },
  vision: { features: 5, places: 4, regions: 3, blocks: tower.blocks.slice(1) },
  cross: {
    blocks: [
      { cross: { headDim: 5, queryKeyDim: 3 }, text: { headDim: 6, hiddenDim: 9 }, vision: tower.blocks[0] },
      { cross: { headDim: 2 }, text: tower.blocks[1], vision: { headDim: 4, hiddenDim: 7 } },
    ],
  },
  ...{ embedDim: 16, heads: 2, denseHeadDim: 8, activation: 'gelu', normEpsilon: 1e-12 },
  answers: 5,
};
const judging = { ...uniter, head: { kind: 'statements' } } as const;
const { answers: _answers, ...others } = lxmert;
const picking = { ...others, head: { kind: 'expressions' } } as const;
const evenLxmert = {
  denseHeadDim: 4,
  text: { ...lxmert.text, blocks: even.blocks },
  vision: { ...lxmert.vision, blocks: even.blocks },
  ties: sharedAttention('text.blocks.0.attention', 'vision.blocks.0.attention'),
} as const;
const evenUniter = {
  denseHeadDim: 4,
  trunk: { blocks: even.blocks },
  ties: sharedAttention('trunk.blocks.0.attention', 'trunk.blocks.1.attention'),
} as const;
const glip: GlipConfig = {
  kind: 'glip',
  vision,
  text: { ...words, tower },
  head: {
    ...{ levels: 'pyramid', width: 12, groups: 3, rounds: 2, deepFusion: true },
    ...{ heads: 2, fusionDim: 10, anchorScale: 3 },
  },
};
const mdetr: MdetrConfig = {
  kind: 'mdetr',
  vision,
  text: { ...words, tower },
  fusion: {
    ...{ width: 16, heads: 2, hiddenDim: 20, encoderLayers: 1, decoderLayers: 2 },
    ...{ queries: 3, alignmentDim: 5 },
  },
};

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
  ...{ kind: 'blip', purpose: 'captions', vision, decoder: stack },
  tokens: { start: 8, end: 9, ground: 10 },
};
const { decoder: _decoder, ...reading } = { ...captions, encoder: stack };

/** The same of families that say more than one thing of a picture, or read texts beside it. */
export const cutTaskModels: Readonly<
  Record<
    string,
    SegmenterConfig | ViltConfig | UniterConfig | LxmertConfig | GlipConfig | MdetrConfig | BlipConfig
  >
> = {
  'a segmenter with a linear decoder': segmenter,
  // A norm over the scores of three classes would make more of what rounding takes than of the scores.
  'a segmenter with a mask decoder': { ...segmenter, classes: 5, decoder: { kind: 'mask', tower } },
  'a segmenter whose columns are shared': {
    ...segmenter,
    vision: { ...vision, tower: even },
    decoder: { kind: 'mask', tower },
    ties: sharedAttention('vision.blocks.0.attention', 'vision.blocks.1.attention'),
  },
  'a ViLT for answers': vilt,
  'a ViLT whose columns are shared': {
    ...vilt,
    vision: { ...vision, tower: even },
    ties: sharedAttention('vision.blocks.0.attention', 'vision.blocks.1.attention'),
  },
  'a ViLT for matching': { ...vilt, head: { kind: 'matching' } },
  'a ViLT for statements': { ...vilt, modalities: 3, head: { kind: 'statements' } },
  'a ViLT for statements whose columns are shared': {
    ...{ ...vilt, modalities: 3, head: { kind: 'statements' }, vision: { ...vision, tower: even } },
    ties: sharedAttention('vision.blocks.0.attention', 'vision.blocks.1.attention'),
  },
  'a UNITER': uniter,
  'a ViLT for retrieval': { ...vilt, head: { kind: 'retrieval' } },
  'a UNITER for retrieval': { ...uniter, head: { kind: 'retrieval' } },
  'a UNITER for expressions': { ...uniter, head: { kind: 'expressions' } },
  'a UNITER for statements': judging,
  'a UNITER for statements whose columns are shared': { ...judging, ...evenUniter },
  'a UNITER whose columns are shared': { ...uniter, ...evenUniter },
  'an LXMERT': lxmert,
  'an LXMERT for expressions': picking,
  'a UNITER for pre-training': { ...uniter, head: { kind: 'pre-training', classes: 4 } },
  'a UNITER for pre-training whose columns are shared': {
    ...{ ...uniter, head: { kind: 'pre-training' } },
    ...evenUniter,
  },
  'an LXMERT for pre-training': { ...others, head: { kind: 'pre-training', answers: 5 } },
  'an LXMERT for statements': { ...others, head: { kind: 'statements' } },
  'an LXMERT for expressions whose streams share columns': { ...picking, ...evenLxmert },
  'an LXMERT whose streams share columns': { ...lxmert, ...evenLxmert },
  'a GLIP with a pyramid': glip,
  'a GLIP whose towers share columns': {
    ...{ ...glip, head: { ...glip.head, levels: 'flat', rounds: 1 } },
    vision: { ...vision, tower: even },
    text: { ...words, tower: even },
    ties: sharedAttention('text.blocks.0.attention', 'vision.blocks.0.attention'),
  },
  'a GLIP with one grid, whose regions and words meet at the end': {
    ...glip,
    head: { ...glip.head, levels: 'flat', deepFusion: false },
  },
  'an MDETR': mdetr,
  'an MDETR whose towers share columns': {
    ...mdetr,
    vision: { ...vision, tower: even },
    text: { ...words, tower: even },
    ties: sharedAttention('text.blocks.0.attention', 'vision.blocks.0.attention'),
  },
  'an MDETR for questions': { ...mdetr, questions: { answers: [2, 4] } },
  'a BLIP for captions': captions,
  'a BLIP for questions': { ...captions, purpose: 'questions', encoder: { ...stack, context: 7 } },
  'a BLIP for statements': { ...reading, purpose: 'statements', encoder: ofTwo },
  'a BLIP for retrieval': {
    ...reading,
    purpose: 'retrieval',
    embeddings: { projectionDim: 6, temperature: 'learned' },
  },
  'a BLIP whose parts share columns': {
    ...captions,
    purpose: 'questions',
    vision: { ...vision, tower: even },
    encoder: stack,
    ties: sharedAttention('vision.blocks.0.attention', 'vision.blocks.1.attention'),
  },
};

const merging = { ...vision, imageSize: 16, merging: { perBlock: 4 } } as const;
/** Models whose like tokens merge on their way. */
export const mergingModels: Readonly<
  Record<string, VisionTransformerConfig | DualEncoderConfig | BlipConfig>
> = {
  'a ViT whose tokens merge': { ...plain, imageSize: 16, headInput: 'mean', merging: { perBlock: 4 } },
  'a CLIP whose tokens merge': {
    ...clip,
    vision: { ...clip.vision, imageSize: 16, merging: { perBlock: 5, proportional: false } },
  },
  'a ViT with shared columns whose tokens merge': {
    ...{ ...plain, imageSize: 16, tower: even, ties: shares },
    merging: { perBlock: 3, schedule: 'decreasing' },
  },
  'a BLIP for captions whose tokens merge': { ...captions, vision: merging },
  'a BLIP for statements whose tokens merge': {
    ...reading,
    ...{ purpose: 'statements', encoder: ofTwo, vision: merging },
  },
};

/** Random numbers for every parameter, norms and biases too. */
export const randomParameters = (config: DenseConfig): Map<string, HostTensor> =>
  new Map(
    entriesOf(modelOf(config).specs).map(([path, { shape }]): [string, HostTensor] => {
      const stream = randomStream(3, path);
      const size = shape.reduce((product, extent) => product * extent, 1);
      const gain = /[nN]orm\.weight$/.test(path) ? 1 : 0;
      const values = Float32Array.from({ length: size }, () => gain + 0.3 * stream.normal());
      return [path, { dtype: 'float32', shape, values }];
    }),
  );
