import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { counted } from '../text/counted';
import type { Decision } from '../decision/decision';
import { type Layer, modelPlace, placed, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { resultOf } from '../layers/observe';
import type { ParameterSpec } from '../layers/parameter';
import { lastTokens } from '../layers/tower';
import { resizeBilinear } from '../operations/resize-bilinear';
import type { Tree } from '../tree/tree';
import { defineFamily } from './family';
import { hooksUnder } from './hooks';
import { type MaskDecoderParams, maskDecoderLayer } from './mask-decoder';
import { type Model, described, shrunkConfig } from './model';
import { sidesOf } from './picture-sides';
import type { Logits } from './prediction';
import { type SegmenterConfig, segmenterSchema } from './segmenter-config';
import { pictureText, towerText } from './summary';
import { tied } from './ties';
import type { ImageInputs } from './vision-transformer';
import { type VisionTowerParams, visionTower } from './vision-tower';
import { patchGrid, tokenCount } from './vision-tower-config';

export type SegmenterParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  vision: VisionTowerParams<Matrix, Vector>;
  /** A linear decoder has it, [D_v, K]. */
  linear?: LinearParams<Matrix, Vector>;
  /** A mask decoder has it. */
  decoder?: MaskDecoderParams<Matrix, Vector>;
};

/** Its logits are those of all pixels, [B·H·W, K]. */
export interface Segmenter extends Model<SegmenterParams, ImageInputs, Logits> {
  readonly config: SegmenterConfig;
  readonly specs: SegmenterParams<ParameterSpec, ParameterSpec>;
  shrink(decision: Decision): Segmenter;
}

/** Multiply–accumulates of a value between four others. */
const MACS_PER_VALUE = 4;

/**
 * Segmenter (Strudel et al., 2021; rstrudel/segmenter): the patches of a vision transformer are told apart by a decoder, and its
 * logits are brought to the pixels along straight lines. Encoder and mask decoder can be cut; not what reads and normalises the masks.
 * With ties its parameters are those that are stored.
 */
export function segmenter({ ties, ...config }: SegmenterConfig): Segmenter {
  const whole = untied(config);
  return ties === undefined ? whole : { ...tied(whole, ties), config: { ...config, ties } };
}

function untied(config: SegmenterConfig): Segmenter {
  const { classes, decoder: shape } = config;
  const grid = patchGrid(config.vision);
  const patches = grid[0] * grid[1];
  const { height, width } = sidesOf(config.vision.imageSize);
  const vision = visionTower(config.vision, tokenCount(config.vision));
  const inputDim = config.vision.tower.embedDim;
  const masks =
    shape.kind === 'mask' ? maskDecoderLayer(shape.tower, { inputDim, patches, classes }) : undefined;
  const layer = withLine(
    together({
      vision: placed({ tower: 'vision', config: 'vision' }, vision.layer),
      ...(masks === undefined
        ? { linear: placed({ uses: [{ tokens: patches }] }, linearLayer(inputDim, classes)) }
        : { decoder: placed({ tower: 'decoder', config: 'decoder' }, masks) }),
    }),
    { part: 'pixels', parameters: 0, macs: MACS_PER_VALUE * classes * height * width },
  );
  const model = described(config, layer, modelPlace('vision'));
  return {
    ...model,
    readout: { projections: [], heads: [masks === undefined ? 'linear' : 'decoder'] },
    forward: (params, { images, ...hooks }) => {
      const { states } = vision.states(params.vision, images, hooksUnder(hooks, 'vision'));
      const seen = lastTokens(states, tokenCount(config.vision), patches); // [B·N, D_v]
      const told =
        masks === undefined || params.decoder === undefined
          ? project(seen, ofLinear(params), 'linear', hooks.observe)
          : masks.run(params.decoder, seen, hooksUnder(hooks, 'decoder')); // [B·N, K]
      hooks.observe?.('pixels', told);
      const logits = resizeBilinear(told, grid, [height, width]);
      hooks.observe?.(resultOf('pixels'), logits);
      return { logits };
    },
    shrink: (decision) => segmenter(shrunkConfig(config, model.sites, decision)),
  };
}

function ofLinear({ linear }: SegmenterParams): LinearParams {
  if (linear === undefined) throw new RangeError('expected the parameters of a linear decoder');
  return linear;
}

/** The same layer, which also costs something that has no parameters. */
const withLine = <Specs extends Tree<ParameterSpec>>(
  layer: Layer<Specs>,
  line: { readonly part: string; readonly parameters: number; readonly macs: number },
): Layer<Specs> => ({
  specs: layer.specs,
  describe: (place) => {
    const { sites, lines } = layer.describe(place);
    return { sites, lines: [...lines, line] };
  },
});

export const segmenterFamily = defineFamily<SegmenterConfig, Segmenter>({
  kind: 'segmenter',
  schema: segmenterSchema,
  build: segmenter,
  towers: ({ vision }) => ({ vision }),
  pictures: {
    positions: 'vision.positions',
    at: (config, imageSize) => ({ ...config, vision: { ...config.vision, imageSize } }),
  },
  classes: ({ classes }) => classes,
  summary: ({ vision, classes, decoder }) =>
    [
      `Segmenter of ${counted(classes, 'class', 'classes')}, ${decoder.kind === 'linear' ? 'a linear decoder' : `a mask decoder of ${towerText(decoder.tower)}`}`,
      `  vision: ${towerText(vision.tower)}; ${pictureText(vision)}`,
    ].join('\n'),
});
