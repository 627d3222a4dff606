import {
  type GlipConfig,
  centredOf,
  decodedBoxes,
  glipFamily,
  levelsOf,
  regionAnchors,
  sidesOf,
} from '@winnow/core';
import { type Tensor2D, add, reshape, tensor2d, zeros } from '@tensorflow/tfjs-core';
import type { PartDescription } from './part';
import { picturePort, picturesIn, textPort, tokensIn } from './ports';

/**
 * The maps of the head: almost all logits lie about one number, far below 0, that is learned for each word, and which is the greatest is a matter of small
 * differences. They are a small part of all products.
 */
const HEAD = ['head.words', 'head.prior', 'head.codes', 'head.centerness'] as const;

/**
 * The file of a GLIP: pictures and texts that list classes give, of each region in the order of the grids, how well words fit it (`logits`
 * [B, N, T]; those of padding mean nothing, and `read` [B, T] says which are none), its object's `boxes` [B, N, 4] (centre x, centre y,
 * width and height in shares of the picture) and how near its centre is to the object's (`centerness` [B, N], a logit). Which boxes are
 * kept is for who asks: they are those before suppression.
 */
export function detectorFile(config: GlipConfig): PartDescription {
  const { vision, text, head } = config;
  const anchors = sharesOf(config);
  const regions = anchors.length / 4;
  return {
    name: 'model',
    inputs: [picturePort(vision), textPort(text)],
    texts: text,
    exact: HEAD,
    answer: (any, inputs, hooks = {}) => {
      if (!glipFamily.holds(any)) throw new RangeError(`expected a glip, got a ${any.kind}`);
      const { model, params } = any;
      const tokens = tokensIn(inputs);
      const found = model.forward(params, { images: picturesIn(inputs), tokens, ...hooks });
      const [batch, length] = tokens.shape;
      const all = add(zeros([batch, regions, 4]), tensor2d(anchors, [regions, 4]));
      const ofEach: Tensor2D = reshape(all, [batch * regions, 4]);
      return {
        logits: reshape(found.logits, [batch, regions, length]),
        boxes: reshape(decodedBoxes(found.codes, ofEach), [batch, regions, 4]),
        centerness: reshape(found.centerness, [batch, regions]),
        read: found.read,
      };
    },
  };

  /** The squares that boxes are told from, [N, 4]: centre and sides in shares of the picture. */
  function sharesOf(own: GlipConfig): Float32Array {
    const { height, width } = sidesOf(vision.imageSize);
    const { boxes } = regionAnchors(levelsOf(own), head.anchorScale);
    return Float32Array.from(centredOf(boxes), (value, at) => value / (at % 2 === 0 ? width : height));
  }
}
