import {
  type Dataset,
  type DetectionBatch,
  type DetectionPrompt,
  type GlipConfig,
  type Model,
  type PairBatch,
  type Splits,
  type Task,
  centredOf,
  denseConfigOf,
  detection,
  glipFamily,
  levelsOf,
  regionAnchors,
  runningOf,
} from '@winnow/core';
import { toyShape } from './toy-data';
import { toyPairs, toyTextShape } from './toy-pairs';

const { imageSize, classes } = toyShape;

/** All orientations, one word each. */
const prompt: DetectionPrompt = {
  tokens: Int32Array.from([
    0,
    ...Array.from({ length: classes }, (_, index) => 1 + index),
    toyTextShape.endToken,
  ]),
  named: Array.from({ length: classes }, (_, index) => ({ index, places: Int32Array.of(1 + index) })),
};

/** Half the thickness of a box around a stripe, in pixels: regions of 4 pixels have their middles within it. */
const AROUND = 2;

/** Left, top, right and bottom around a stripe in pixels: a row, a column, or the whole picture for a diagonal. */
function boxOf(orientation: number, place: number): number[] {
  const [least, most] = [Math.max(0, place + 0.5 - AROUND), Math.min(imageSize, place + 0.5 + AROUND)];
  if (orientation === 0) return [0, least, imageSize, most];
  return orientation === 1 ? [least, 0, most, imageSize] : [0, 0, imageSize, imageSize];
}

/** The pictures of `toyPairs` with the list of all orientations, and where the stripe of each is. */
export function toyDetection(options: { seed?: number; size?: number }): Splits<DetectionBatch> {
  const { train, validation, test } = toyPairs(options);
  const detected = ({ size, batch }: Dataset<PairBatch>): Dataset<DetectionBatch> => ({
    size,
    batch: async (indices, ...rest) => {
      const { size, images, imageGroups } = await batch(indices, ...rest);
      const stripes = [...imageGroups].map((group) => Math.floor(group / imageSize));
      const boxes = [...imageGroups].flatMap((group, at) => boxOf(stripes[at] ?? 0, group % imageSize));
      const examples = Int32Array.from(imageGroups, (_, example) => example);
      return {
        size,
        images,
        texts: size,
        tokens: Int32Array.from(stripes.flatMap(() => [...prompt.tokens])),
        objects: {
          boxes: Float32Array.from(centredOf(boxes), (value) => value / imageSize),
          examples,
          tokens: stripes.map((index) => Int32Array.of(1 + index)),
        },
        truths: {
          sizes: stripes.map(() => ({ height: imageSize, width: imageSize })),
          examples,
          classes: Int32Array.from(stripes),
          boxes: Float64Array.from(boxes),
          areas: Float64Array.from(stripes, () => imageSize ** 2),
          crowds: new Uint8Array(stripes.length),
        },
      };
    },
  });
  return { train: detected(train), validation: detected(validation), test: detected(test) };
}

/** Detecting the stripes. @throws {RangeError} when the model is no GLIP. */
export function toyDetectionTask(model: Model): Task {
  const config = denseConfigOf(runningOf(model).model);
  if (!glipFamily.is(config)) throw new RangeError(`expected a glip, got a ${config.kind}`);
  const { head }: GlipConfig = config;
  const anchors = regionAnchors(levelsOf(config), head.anchorScale);
  return detection(model, { ...toyShape, anchors, prompts: [prompt], endToken: toyTextShape.endToken });
}
