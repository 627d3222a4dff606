import { startEngine } from '@winnow/engine';
import { modelParts, partGraph } from '../src/index';
import { blipModels, dualModels, mergingModels, taskModels, textModels, visionModels } from './families';
import { differences } from './parity';

beforeAll(async () => {
  await startEngine('wasm');
});

const all = Object.entries({
  ...{ ...visionModels, ...textModels, ...dualModels, ...taskModels, ...blipModels },
});

describe('every answer of the file is the engine’s', () => {
  test.each(all)('%s', async (_, config) => {
    for (const own of Object.values(await differences(config))) expect(own).toBeLessThan(1e-4);
  });

  test.each(all)('%s, in float16 and a later opset', async (_, config) => {
    for (const own of Object.values(await differences(config, { precision: 'f16', opset: 20 })))
      expect(own).toBeLessThan(2e-2);
  });
});

describe('like tokens merge in the file as in the engine:', () => {
  test.each(Object.entries(mergingModels))('%s', async (_, config) => {
    for (const opset of [17, 20])
      for (const own of Object.values(await differences(config, { opset }))) expect(own).toBeLessThan(1e-4);
  });

  test('float16, which tells other tokens apart, is refused', () => {
    const [part] = modelParts({ config: mergingModels['class token'] });
    if (part === undefined) throw new Error('expected a part');
    expect(() => partGraph(part, { precision: 'f16' })).toThrow(/float16 does not keep: take f32/);
  });
});

const pictures = { pixel_values: ['batch', 3, 8, 12] };
const both = { ...pictures, input_ids: ['batch', 7] };
const found = {
  logits: ['batch', 3, 8],
  boxes: ['batch', 3, 4],
  aligned: ['batch', 3, 5],
  words: ['batch', 7, 5],
  read: ['batch', 7],
};

test.each([
  ['a segmenter with a mask decoder', pictures, { logits: ['batch', 96, 3] }],
  ['a ViLT for answers', both, { logits: ['batch', 5] }],
  ['a ViLT for matching', both, { logits: ['batch', 2], words: ['batch', 7, 11] }],
  ['an MDETR', both, found],
  [
    'an MDETR for questions',
    both,
    { ...found, type: ['batch', 2], answer0: ['batch', 2], answer1: ['batch', 4] },
  ],
] as const)('%s is one file with all that it takes and says', (name, inputs, outputs) => {
  const [part, ...others] = modelParts({ config: taskModels[name] });
  if (part === undefined || others.length > 0) throw new Error('expected one part');
  const graph = partGraph(part);
  const shown = (ports: typeof graph.inputs) =>
    Object.fromEntries(ports.map((port) => [port.name, port.shape]));
  expect(shown(graph.inputs)).toEqual(inputs);
  expect(shown(graph.outputs)).toEqual(outputs);
});

test('a ViLT that judges two pictures is refused by name', () => {
  const config = { ...taskModels['a ViLT for answers'], head: { kind: 'statements' as const } };
  expect(() => modelParts({ config })).toThrow(/takes two pictures at once/);
});

test('a UNITER for pre-training, which has several answers, is refused by name', () => {
  const config = { ...taskModels['a UNITER'], head: { kind: 'pre-training' as const } };
  expect(() => modelParts({ config })).toThrow(/a uniter for pre-training has several answers/);
});
