import { type Tensor1D, type Tensor2D, type Tensor3D, add, reshape } from '@tensorflow/tfjs-core';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import type { RegionInputs } from './region-inputs';

export type RegionEmbeddingParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  features: LinearParams<Matrix, Vector>; // [F, D]
  featuresNorm: LayerNormParams<Vector>;
  places: LinearParams<Matrix, Vector>; // [P, D]
  placesNorm: LayerNormParams<Vector>;
};

/** Sizes of what describes a region. */
export interface RegionSizes {
  /** F: numbers that describe a region. */
  readonly features: number;
  /** P: numbers that say where it is. */
  readonly places: number;
}

/** Regions as LXMERT and UNITER embed them: a linear map with a norm of what they show, and one of where they are. It has no sites. */
export function regionEmbedding(
  { features, places }: RegionSizes,
  { embedDim: D, normEpsilon }: { readonly embedDim: number; readonly normEpsilon: number },
) {
  const norm = normLayer(D, normEpsilon);
  return {
    parts: {
      features: linearLayer(features, D),
      featuresNorm: norm,
      places: linearLayer(places, D),
      placesNorm: norm,
    },
    /** Both parts added up, [B·R, D]; the first may be perturbed, as patches are. */
    embed: (params: RegionEmbeddingParams, inputs: RegionInputs): Tensor2D => {
      const { observe, perturb } = inputs;
      const [batch, count, F] = inputs.features.shape;
      const shown: Tensor2D = reshape(inputs.features, [batch * count, F]);
      const where: Tensor2D = reshape(inputs.places, [batch * count, inputs.places.shape[2]]);
      const projected = project(shown, params.features, 'features', observe);
      const inPictures: Tensor3D = reshape(projected, [batch, count, D]);
      const seen: Tensor2D =
        perturb === undefined ? projected : reshape(perturb('patches', inPictures), [batch * count, D]);
      const what = normalize(seen, params.featuresNorm, normEpsilon);
      return add(
        what,
        normalize(project(where, params.places, 'places', observe), params.placesNorm, normEpsilon),
      );
    },
  };
}
