import { memory, tensor1d, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type Coupling,
  adamw,
  compact,
  constant,
  cutTree,
  decisionFromMasks,
  disposeTree,
  effective,
  entriesOf,
  identityDecision,
  randomStream,
  tidyTree,
  uploadTree,
  downloadTree,
  visionTransformer,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import {
  logitDifference,
  perturbedParams,
  randomImages,
  randomMasks,
  seeds,
  smallConfigs,
} from './random-model';
import { roundingBound } from './rounding';

describeOnEveryEngine('cutting', () => {
  /** How far masking a random model is from cutting it, as a share of what rounding may do. */
  const differenceAfterCut = (
    config: Parameters<typeof visionTransformer>[0],
    seed: number,
    role: Coupling['role'],
    maskedSites: (structure: string) => boolean,
  ) =>
    tidy(() => {
      const random = randomStream(seed, 'masks');
      const model = visionTransformer(config);
      const params = perturbedParams(model, seed);
      const sites = model.sites.filter(({ structure }) => maskedSites(structure));
      const masks = randomMasks(sites, random);
      const tensors = Object.fromEntries(Object.entries(masks).map(([id, mask]) => [id, tensor1d(mask)]));
      const masked = effective(params, sites, tensors, role);
      const cut = compact(model, params, decisionFromMasks(sites, masks));
      const images = randomImages(config, random);
      const difference = logitDifference({ model, params: masked }, cut, { images });
      return difference / roundingBound(masked, (rounded) => model.forward(rounded, { images }).logits);
    });

  it('changes nothing after masking what makes the units', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, (config, seed) => {
        expect(differenceAfterCut(config, seed, 'producer', () => true)).toBeLessThan(1);
      }),
      { numRuns: 60 },
    );
  });

  it('changes nothing after masking what reads the hidden units', () => {
    // Only there: an attention unit also acts through the scores, before the output projection reads it.
    fc.assert(
      fc.property(smallConfigs, seeds, (config, seed) => {
        expect(differenceAfterCut(config, seed, 'consumer', (structure) => structure === 'ffn')).toBeLessThan(
          1,
        );
      }),
      { numRuns: 40 },
    );
  });

  it('gives tensors of the smaller model, for parameters and for moments', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, (config, seed) => {
        tidy(() => {
          const model = visionTransformer(config);
          const params = perturbedParams(model, seed);
          const decision = decisionFromMasks(
            model.sites,
            randomMasks(model.sites, randomStream(seed, 'masks')),
          );
          const shapes = (tree: Parameters<typeof entriesOf>[0]) =>
            entriesOf(tree).map(([path, { shape }]) => [path, [...shape]]);
          const expected = shapes(model.shrink(decision).specs);
          const moments = adamw<typeof params>({ schedule: constant(1) }).init(params);
          expect(shapes(cutTree(params, model.sites, decision))).toEqual(expected);
          expect(shapes(cutTree(moments.mean, model.sites, decision))).toEqual(expected);
        });
      }),
      { numRuns: 20 },
    );
  });

  it('takes biases with their columns, in every head', async () => {
    const model = visionTransformer({
      kind: 'vision-transformer',
      imageSize: 2,
      patchSize: 2,
      channels: 1,
      classes: 2,
      distillation: 'none',
      embeddingNorm: false,
      patchBias: true,
      tower: {
        embedDim: 2,
        heads: 2,
        denseHeadDim: 3,
        activation: 'gelu',
        causal: false,
        normEpsilon: 1e-6,
        blocks: [{ headDim: 3, hiddenDim: 4 }],
      },
    });
    // Every entry is its own position in its tensor, so what is left shows where it came from.
    const positions = new Map(
      entriesOf(model.specs).map(([path, { shape }]) => {
        const size = shape.reduce((product, extent) => product * extent, 1);
        return [
          path,
          { dtype: 'float32' as const, shape, values: Float32Array.from({ length: size }, (_, i) => i) },
        ];
      }),
    );
    const params = uploadTree(perturbedParams(model, 1), positions);
    const cut = cutTree(params, model.sites, {
      version: 1,
      sites: {
        'blocks.0.attention': { kind: 'keep', kept: [0, 2], units: 3 },
        'blocks.0.ffn': { kind: 'keep', kept: [3], units: 4 },
      },
    });
    const host = await downloadTree(cut);
    const valuesOf = (path: string) => [...(host.get(path)?.values ?? [])];
    for (const name of ['query', 'key', 'value']) {
      expect(valuesOf(`blocks.0.attention.${name}.bias`)).toEqual([0, 2, 3, 5]);
      expect(valuesOf(`blocks.0.attention.${name}.weight`)).toEqual([0, 2, 3, 5, 6, 8, 9, 11]);
    }
    expect(valuesOf('blocks.0.attention.output.weight')).toEqual([0, 1, 4, 5, 6, 7, 10, 11]);
    expect(valuesOf('blocks.0.attention.output.bias')).toEqual([0, 1]);
    expect(valuesOf('blocks.0.ffn.expand.weight')).toEqual([3, 7]);
    expect(valuesOf('blocks.0.ffn.expand.bias')).toEqual([3]);
    expect(valuesOf('blocks.0.ffn.contract.weight')).toEqual([6, 7]);
    expect(valuesOf('blocks.0.ffn.contract.bias')).toEqual([0, 1]);
  });

  it('is the identity when everything is kept, and shares no tensor', async () => {
    const [config] = fc.sample(smallConfigs, { seed: 1, numRuns: 1 });
    if (config === undefined) throw new Error('no configuration was drawn');
    const model = visionTransformer(config);
    const before = memory().numTensors;
    const params = perturbedParams(model, 1);
    const original = await downloadTree(params);
    const cut = compact(model, params, identityDecision);
    disposeTree(params);
    expect(cut.model.config).toEqual(model.config);
    expect(await downloadTree(cut.params)).toEqual(original);
    disposeTree(cut.params);
    expect(memory().numTensors).toBe(before);
  });

  it('passes on what no mask touches', () => {
    const [config] = fc.sample(smallConfigs, { seed: 2, numRuns: 1 });
    if (config === undefined) throw new Error('no configuration was drawn');
    const model = visionTransformer(config);
    const params = perturbedParams(model, 1);
    const site = model.sites.find(({ id }) => id === 'blocks.0.ffn');
    if (site === undefined) throw new Error('the model has no ffn');
    const mask = tensor1d(new Float32Array(site.units).fill(0.5));
    const masked = tidyTree(() => effective(params, model.sites, { [site.id]: mask }));
    const after = new Map(entriesOf(masked));
    const changed = entriesOf(params).flatMap(([path, leaf]) => (after.get(path) === leaf ? [] : [path]));
    expect(changed).toEqual(['blocks.0.ffn.expand.weight', 'blocks.0.ffn.expand.bias']);
  });
});
