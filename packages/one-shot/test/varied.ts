import { type Dataset, randomStream } from '@winnow/core';
import type { TinyKind } from '@winnow/testkit';
import { z } from 'zod';

const pictures = z.looseObject({ images: z.instanceof(Float32Array) });

/** The same data with noise on pictures that are asked for varied, another in every epoch. */
export function varied(kind: TinyKind): TinyKind {
  const noisy = ({ size, batch }: Dataset<unknown>): Dataset<unknown> => ({
    size,
    batch: async (indices, augmentation) => {
      const plain = await batch(indices, augmentation);
      if (augmentation === undefined) return plain;
      const { images, ...others } = pictures.parse(plain);
      const each = images.length / indices.length;
      const noise = indices.flatMap((index) => {
        const random = randomStream(augmentation.seed, 'noise', augmentation.epoch, index);
        return Array.from({ length: each }, () => 0.3 * random.normal());
      });
      return { ...others, images: images.map((value, at) => value + (noise[at] ?? 0)) };
    },
  });
  const { train, validation, test } = kind.data;
  return { ...kind, data: { train: noisy(train), validation: noisy(validation), test: noisy(test) } };
}
