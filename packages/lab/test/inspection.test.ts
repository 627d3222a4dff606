import {
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
} from '@winnow/testkit';
import { inspectionOf } from '../src/inspection/inspection';

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
