import {
  type GlipParams,
  boxFromCode,
  cornersOf,
  glip,
  levelsOf,
  regionAnchors,
  uploadTree,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { type Tensor4D, reshape, tidy, transpose } from '@tensorflow/tfjs-core';
import { engineInputs, modelParts, partGraph } from '../src/index';
import { blipModels, dualModels, mergingModels, taskModels, textModels, visionModels } from './families';
import { answersOf, differences, randomParameters, sessionOf, someInputs } from './parity';

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

  // What float16 merges otherwise is judged by proofs: here nothing is.
  test.each(Object.entries(mergingModels))('%s, in float16', async (_, config) => {
    for (const own of Object.values(await differences(config, { precision: 'f16' })))
      expect(own).toBeLessThan(2e-2);
  });
});

const pictures = { pixel_values: ['batch', 3, 8, 12] };
const both = { ...pictures, input_ids: ['batch', 7] };
const regions = {
  input_ids: ['batch', 6],
  visual_feats: ['batch', 3, 5],
  visual_pos: ['batch', 3, 4],
  visual_mask: ['batch', 3],
};
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
  [
    'a ViLT for statements',
    { pixel_values: ['batch', 2, 3, 8, 12], input_ids: ['batch', 7] },
    { logits: ['batch', 2] },
  ],
  ['an LXMERT', regions, { logits: ['batch', 5], regions: ['batch', 3, 16] }],
  ['an LXMERT for expressions', regions, { logits: ['batch', 3], words: ['batch', 6, 16] }],
  [
    'an LXMERT for pre-training',
    { ...regions, visual_hidden: ['batch', 3] },
    {
      ...{ logits: ['batch', 2], words: ['batch', 6, 11], regions: ['batch', 3, 5] },
      ...{ classes: ['batch', 3, 3], answers: ['batch', 4] },
    },
  ],
  [
    'a UNITER for pre-training',
    {
      input_ids: ['batch', 6],
      visual_feats: ['batch', 4, 5],
      visual_pos: ['batch', 4, 7],
      visual_mask: ['batch', 4],
      visual_hidden: ['batch', 4],
    },
    { logits: ['batch', 2], words: ['batch', 6, 11], regions: ['batch', 4, 5], classes: ['batch', 4, 3] },
  ],
  [
    'an LXMERT for statements',
    {
      input_ids: ['batch', 6],
      visual_feats: ['batch', 2, 3, 5],
      visual_pos: ['batch', 2, 3, 4],
      visual_mask: ['batch', 2, 3],
    },
    { logits: ['batch', 2], regions: ['batch', 2, 3, 16] },
  ],
  [
    'a GLIP',
    { ...both, pixel_values: ['batch', 3, 8, 16] },
    { logits: ['batch', 42, 7], boxes: ['batch', 42, 4], centerness: ['batch', 42], read: ['batch', 7] },
  ],
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

test('boxes of a GLIP are those that its codes mean', async () => {
  const config = taskModels['a GLIP'];
  const model = glip(config);
  const parameters = randomParameters(model);
  const [part] = modelParts({ config });
  if (part === undefined) throw new Error('expected a part');
  const given = someInputs(part, 2);
  const { boxes = new Float32Array() } = await answersOf(await sessionOf(part, parameters), given);
  const codes = tidy(() => {
    const { pixel_values: pixels, input_ids: tokens } = engineInputs(given, 0, 2);
    if (pixels === undefined || tokens === undefined) throw new Error('expected both inputs');
    const params = uploadTree<GlipParams>(model.specs, parameters);
    const images: Tensor4D = reshape(transpose(pixels, [0, 2, 3, 1]), [2, 8, 16, 3]);
    return Array.from(model.forward(params, { images, tokens: reshape(tokens, [2, 7]) }).codes.dataSync());
  });
  const { boxes: anchors } = regionAnchors(levelsOf(config), config.head.anchorScale);
  expect(codes).toHaveLength(boxes.length);
  for (let at = 0; at < boxes.length; at += 4) {
    const anchor = anchors.subarray(at % anchors.length, (at % anchors.length) + 4);
    const wanted = boxFromCode(codes.slice(at, at + 4), anchor).map((side, place) =>
      place % 2 === 0 ? side / 16 : side / 8,
    );
    cornersOf(boxes.subarray(at, at + 4)).forEach((side, place) => {
      expect(Math.abs(side - (wanted[place] ?? Number.NaN))).toBeLessThan(1e-4 * Math.max(1, Math.abs(side)));
    });
  }
});
