import { type Tensor, dispose } from '@tensorflow/tfjs-core';
import type { PictureSize } from './picture-sides';
import { type HostTensor, downloadTensor } from '../tree/host';
import { entriesOf } from '../tree/tree';
import { anyModel } from './any-model';
import { type Resampling, resampleGrid } from './bicubic';
import type { AnyDenseModel } from './family';
import { type DenseConfig, denseConfigOf } from './model';
import { familyOf } from './table';
import { patchCount, patchGrid, positionedTokens } from './vision-tower-config';

/** A configuration at another picture size, and how its parameters get there. */
export interface AtImageSize {
  readonly config: DenseConfig;
  /** The parameter at a path as the new size needs it; all but the positions of the patches stay as they are. */
  fit(path: string, tensor: HostTensor): HostTensor;
}

/**
 * Plans a model for pictures of another size: positions of the patches are resampled, those of other tokens stay.
 * @throws {RangeError} when the model reads no pictures, or a side is no multiple of its patches.
 */
export function atImageSize(
  config: DenseConfig,
  imageSize: PictureSize,
  resampling: Resampling,
): AtImageSize {
  const { pictures } = familyOf(config);
  const before = familyOf(config).towers(config).vision;
  if (pictures === undefined || before === undefined) {
    throw new RangeError(`a ${config.kind} reads no pictures, so that it has no picture size to change`);
  }
  const [from, to] = [patchGrid(before), patchGrid({ ...before, imageSize })];
  const [isSame, leading] = [from[0] === to[0] && from[1] === to[1], positionedTokens(before)];
  return {
    config: pictures.at(config, imageSize),
    fit: (path, tensor) => {
      if (path !== pictures.positions || isSame || tensor.dtype !== 'float32') return tensor;
      const D = tensor.shape[1] ?? 0;
      const { values } = tensor;
      const patches = resampleGrid(values.subarray(leading * D), { from, to, resampling });
      const resized = new Float32Array(leading * D + patches.length);
      resized.set(values.subarray(0, leading * D));
      resized.set(patches, leading * D);
      return {
        dtype: 'float32',
        shape: [leading + patchCount({ ...before, imageSize }), D],
        values: resized,
      };
    },
  };
}

/**
 * A model for pictures of another size.
 * @param any Is used up: its tensors are the result's, or are gone.
 * @throws {RangeError} as `atImageSize` does; the model is the caller's still.
 */
export async function resizePictures(
  any: AnyDenseModel,
  imageSize: PictureSize,
  resampling: Resampling,
): Promise<AnyDenseModel> {
  const { config, fit } = atImageSize(denseConfigOf(any.model), imageSize, resampling);
  const own = entriesOf(any.params);
  const { pictures } = familyOf(config);
  const tensors = new Map<string, HostTensor | Tensor>(own);
  for (const [path, leaf] of own) {
    if (path !== pictures?.positions) continue;
    tensors.set(path, fit(path, await downloadTensor(leaf, path)));
    dispose(leaf);
  }
  return anyModel(config, tensors);
}
