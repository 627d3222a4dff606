import {
  type Dataset,
  type Model,
  type RegionQuestionBatch,
  type Splits,
  type Task,
  denseConfigOf,
  lxmertFamily,
  regionQuestions,
  uniterFamily,
} from '@winnow/core';
import { toyShape } from './toy-data';
import { toyTextShape } from './toy-pairs';
import { toyTold } from './toy-told';

const { imageSize, classes } = toyShape;
const SIDE = imageSize / 2;
/** A quarter of a picture is a region, by the pixels that it has. */
const QUARTERS = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;
/** The sizes on which the toy regions and the models for them agree. */
export const toyRegionShape = { features: SIDE * SIDE, regions: QUARTERS.length } as const;

/** The pictures of `toyPairs` by their quarters, with a question each whose answer is the orientation. */
export function toyRegions(options: { seed?: number; size?: number }): Splits<RegionQuestionBatch> {
  const { train, validation, test } = toyTold(options, toyTextShape.endToken);
  const inRegions = ({ size, batch }: typeof train): Dataset<RegionQuestionBatch> => ({
    size,
    batch: async (indices, ...rest) => {
      const { size: count, images, labels, texts, tokens } = await batch(indices, ...rest);
      const features = Float32Array.from(
        { length: images.length },
        (_, at) => images[pixelOf(at)] ?? Number.NaN,
      );
      const boxes = Array.from({ length: count }, () => sides).flat();
      return {
        ...{ size: count, texts, tokens, answers: labels, types: new Int32Array(count) },
        regions: {
          count: QUARTERS.length,
          features,
          boxes: Float32Array.from(boxes),
          real: new Float32Array(count * QUARTERS.length).fill(1),
        },
      };
    },
  });
  return { train: inRegions(train), validation: inRegions(validation), test: inRegions(test) };
}

/** Sides of all quarters, as shares. */
const sides = QUARTERS.flatMap(([row, column]) => [column / 2, row / 2, (column + 1) / 2, (row + 1) / 2]);

/** The place in pictures [B, S, S] of a number of their quarters, [B, 4, S/2·S/2]. */
function pixelOf(at: number): number {
  const [quarter, pixel] = [Math.floor(at / toyRegionShape.features), at % toyRegionShape.features];
  const [row = 0, column = 0] = QUARTERS[quarter % QUARTERS.length] ?? [];
  const [y, x] = [row * SIDE + Math.floor(pixel / SIDE), column * SIDE + (pixel % SIDE)];
  return (Math.floor(quarter / QUARTERS.length) * imageSize + y) * imageSize + x;
}

/** Telling the orientation of a picture by its quarters. */
export function toyRegionTask(model: Pick<Model, 'forward' | 'config'>): Task {
  const config = denseConfigOf(model);
  const places = uniterFamily.is(config)
    ? config.regions.places
    : lxmertFamily.is(config)
      ? config.vision.places
      : 4;
  return regionQuestions(model, {
    ...{ features: toyRegionShape.features, places, endToken: toyTextShape.endToken },
    ...{ types: ['orientation'], answers: [classes] },
  });
}
