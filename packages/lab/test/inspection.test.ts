import {
  type Decision,
  type Model,
  blip,
  disposeTree,
  identityDecision,
  textStackConfig,
  visionTowerConfig,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import {
  type TinyKind,
  crossEncoders,
  detectors,
  groundingModels,
  lxmerts,
  segmenters,
  tinyKinds,
  uniters,
  visionTransformers,
} from '@winnow/testkit';
import { inspectionOf } from '../src/inspection/inspection';
import { checkDecision } from '../src/proof/check-files';

beforeAll(() => startEngine('wasm'));

function modelOfKind({ makeModel }: TinyKind): Model {
  const { model, params } = makeModel();
  disposeTree(params);
  return model;
}

const words = { vocabulary: 20, norm: 'before', context: 8 } as const;
const judge = blip({
  kind: 'blip',
  purpose: 'statements',
  vision: visionTowerConfig('nano', { imageSize: 32, patchSize: 16, channels: 3 }),
  tokens: { start: 0, end: 1 },
  encoder: textStackConfig('nano', { ...words, memories: 2 }),
});

const kinds = [
  ...new Set([...tinyKinds, crossEncoders, groundingModels, detectors, segmenters, uniters, lxmerts]),
];

test.each([
  ...kinds.map((kind) => [kind.name, () => modelOfKind(kind)] as const),
  ['blip for statements', () => judge] as const,
])('no two sites of a %s have the same place in what is said to be kept', (_, made) => {
  const model = made();
  const { kept } = inspectionOf(model, identityDecision);
  expect(kept).toHaveLength(model.sites.length);
  const places = kept.map(({ component, layer }) => `${component} ${layer}`);
  expect(places.filter((place, index) => places.indexOf(place) !== index)).toEqual([]);
});

test('cross-attentions stand beside self-attention', () => {
  const { kept } = inspectionOf(judge, identityDecision);
  const components = [...new Set(kept.map(({ component }) => component))];
  expect(components).toEqual([
    'vision attention',
    'vision ffn',
    'encoder attention',
    'encoder cross0',
    'encoder cross1',
    'encoder ffn',
  ]);
});

test('heads that stay are counted as heads, and blocks that went stand where they were', () => {
  const model = modelOfKind(visionTransformers);
  const heads = { kind: 'heads', kept: [1], heads: 2, units: 8 } as const;
  const ofHeads: Decision = { version: 1, sites: { 'blocks.1.attention': heads } };
  const { kept } = inspectionOf(model.shrink(ofHeads), ofHeads);
  expect(kept.map(({ site, kept, units }) => [site, kept, units])).toEqual([
    ['blocks.0.attention', 8, 8],
    ['blocks.0.ffn', 32, 32],
    ['blocks.1.attention', 1, 2],
    ['blocks.1.ffn', 32, 32],
  ]);
  const ofBlocks: Decision = { version: 1, sites: {}, blocks: { blocks: { kept: [1], units: 2 } } };
  expect(
    inspectionOf(model.shrink(ofBlocks), ofBlocks).kept.map(({ site, layer, kept }) => [site, layer, kept]),
  ).toEqual([
    ['blocks.1.attention', 1, 8],
    ['blocks.1.ffn', 1, 32],
    ['blocks.0.attention', 0, 0],
    ['blocks.0.ffn', 0, 0],
  ]);
});

test('a certificate asks whether heads and blocks are those of the decision', () => {
  const { sites, account } = modelOfKind(visionTransformers);
  const units = new Map(sites.map((site) => [site.id, site.units]));
  const check = (decision: Decision) => checkDecision({ decision, model: { sites, account }, units });
  const heads = (kept: number[]): Decision => ({
    version: 1,
    sites: { 'blocks.0.attention': { kind: 'heads', kept, heads: 3, units: 8 } },
  });
  expect(check(heads([0, 2])).verdict).toBe('holds');
  expect(check(heads([0]))).toMatchObject({
    verdict: 'fails',
    says: ['blocks.0.attention: the decision keeps 1 heads, the model has 2'],
  });
  const blocks = (kept: number[]): Decision => ({
    version: 1,
    sites: {},
    blocks: { blocks: { kept, units: 3 } },
  });
  expect(check(blocks([0, 2])).verdict).toBe('holds');
  expect(check(blocks([1]))).toMatchObject({
    verdict: 'fails',
    says: ['blocks: the decision keeps 1 blocks, the model has 2'],
  });
});
