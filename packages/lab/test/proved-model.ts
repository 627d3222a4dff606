import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type HostTensor,
  type TensorTree,
  type VisionTransformerConfig,
  compact,
  decisionFromMasks,
  entriesOf,
  randomStream,
  uploadTree,
  visionTransformer,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { saveModel } from '@winnow/formats';
import { makePictures } from '@winnow/testkit';

const config: VisionTransformerConfig = {
  kind: 'vision-transformer',
  imageSize: 16,
  patchSize: 8,
  channels: 3,
  classes: 2,
  distillation: 'none',
  embeddingNorm: false,
  patchBias: true,
  tower: {
    embedDim: 16,
    heads: 2,
    denseHeadDim: 8,
    activation: 'gelu',
    causal: false,
    normEpsilon: 1e-6,
    blocks: [
      { headDim: 8, hiddenDim: 24 },
      { headDim: 8, hiddenDim: 24 },
    ],
  },
};

/** A dense model of random parameters, one that was cut from it unevenly, and pictures, in a folder of their own. */
export async function provedModel() {
  await startEngine('wasm');
  const root = mkdtempSync(join(tmpdir(), 'winnow-prove-'));
  const model = visionTransformer(config);
  const host = new Map(
    entriesOf(model.specs).map(([path, { shape }]): [string, HostTensor] => {
      const random = randomStream(5, path);
      const size = shape.reduce((product, extent) => product * extent, 1);
      const gain = /Norm\.weight$|^norm\.weight$/.test(path) ? 1 : 0;
      const values = Float32Array.from({ length: size }, () => gain + 0.3 * random.normal());
      return [path, { dtype: 'float32', shape, values }];
    }),
  );
  const params = uploadTree<TensorTree>(model.specs, host);
  const random = randomStream(6, 'masks');
  const masks = Object.fromEntries(
    model.sites.map(({ id, units }) => [
      id,
      Array.from({ length: units }, (_, unit) => (unit === 0 || random.integer(2) === 0 ? 1 : 0)),
    ]),
  );
  const decision = decisionFromMasks(model.sites, masks);
  const cut = compact(model, params, decision);
  const classNames = ['blue', 'red'];
  await saveModel(join(root, 'dense'), { model, params, classNames });
  await saveModel(join(root, 'cut'), { ...cut, classNames, decision });
  await makePictures(join(root, 'pictures'));
  return root;
}
