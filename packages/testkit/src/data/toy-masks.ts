import {
  type Dataset,
  type ImageBatch,
  type Model,
  type SegmentationBatch,
  type Splits,
  type Task,
  segmentation,
} from '@winnow/core';
import { toyData, toyShape } from './toy-data';

const { imageSize, channels, classes } = toyShape;
/** Pixels that are darker show nothing that counts. */
const BRIGHT = 0.5;
const IGNORED = 255;

/** The toy pictures, of which each bright pixel shows the orientation of the stripe. */
export function toyMasks(options: Parameters<typeof toyData>[0] = {}): Splits<SegmentationBatch> {
  const { train, validation, test } = toyData(options);
  return { train: masked(train), validation: masked(validation), test: masked(test) };
}

const masked = ({ size, batch }: Dataset<ImageBatch>): Dataset<SegmentationBatch> => ({
  size,
  batch: async (indices) => {
    const { images, labels, size: count } = await batch(indices);
    const pixels = images.length / count;
    const masks = Uint8Array.from(images, (level, at) =>
      level > BRIGHT ? (labels[Math.floor(at / pixels)] ?? IGNORED) : IGNORED,
    );
    return { size: count, images, masks };
  },
});

/** Segmentation of the toy pictures. */
export const toySegmentation = (model: Pick<Model, 'forward'>): Task =>
  segmentation(model, { imageSize, channels, classes });
