import { tensor2d, tensor4d } from '@tensorflow/tfjs-core';
import { randomValues } from './checkpoint.mjs';

/** Random pictures and texts of the full context for a model of any kind. The caller owns them. */
export function inputsOf(config, batchSize) {
  const random = randomValues(7);
  switch (config.kind) {
    case 'vision-transformer':
      return { images: pictures(config, batchSize, random) };
    case 'clip-text':
      return { tokens: texts(config, batchSize, random) };
    case 'dual-encoder':
      return {
        images: pictures(config.vision, batchSize, random),
        tokens: texts(config.text, batchSize, random),
      };
    default:
      throw new Error(`expected a model of a known kind, got ${config.kind}`);
  }
}

function pictures({ imageSize, channels }, batchSize, random) {
  const shape = [batchSize, imageSize, imageSize, channels];
  return tensor4d(Float32Array.from({ length: batchSize * imageSize ** 2 * channels }, random), shape);
}

function texts({ context, vocabulary, endToken }, batchSize, random) {
  const word = () => Math.floor(Math.abs(random()) * 1000) % (vocabulary - 2);
  const tokens = Int32Array.from({ length: batchSize * context }, (_, position) =>
    position % context === context - 1 ? endToken : word(),
  );
  return tensor2d(tokens, [batchSize, context], 'int32');
}

/** Over all outputs by name, relative to the largest value of each. */
export function greatestDifference(actual, wanted) {
  return Math.max(
    ...[...wanted].map(([name, { values }]) => {
      const others = actual.get(name)?.values;
      if (others?.length !== values.length) throw new Error(`expected ${values.length} values of ${name}`);
      let difference = 0;
      let largest = 0;
      values.forEach((value, index) => {
        difference = Math.max(difference, Math.abs(value - others[index]));
        largest = Math.max(largest, Math.abs(value));
      });
      if (!(largest > 0 && Number.isFinite(largest)))
        throw new Error(`the outputs ${name} are not finite, or all 0`);
      return difference / largest;
    }),
  );
}
