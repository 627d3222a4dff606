import {
  type AnyDenseModel,
  type BlipConfig,
  type HostTensor,
  type TensorTree,
  modelOf,
  uploadTree,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { type Tensor, tensor2d, tensor4d, tidy, transpose } from '@tensorflow/tfjs-core';
import { type Answers, type ExampleInput, type Examples, modelParts } from '../src/index';
import { blipModels } from './families';
import { answersOf, difference, randomParameters, sessionOf, someInputs } from './parity';

beforeAll(async () => {
  await startEngine('wasm');
});

const EXAMPLES = 3;

/** The files of a BLIP one after another, each with what those before it gave. */
async function chained(
  config: BlipConfig,
  parameters: ReadonlyMap<string, HostTensor>,
  given: ReadonlyMap<string, Examples>,
): Promise<Answers> {
  const found = new Map<string, Float32Array>();
  for (const part of modelParts({ config })) {
    const own = given.get(part.name)?.inputs ?? {};
    const inputs = part.inputs.map(({ name, shape: [, ...extents] }): [string, ExampleInput] => {
      const before = found.get(name);
      const input = before === undefined ? own[name] : { shape: extents.map(Number), values: before };
      if (input === undefined) throw new Error(`expected ${name}`);
      return [name, input];
    });
    const session = await sessionOf(part, parameters);
    const count = EXAMPLES * part.times;
    const answers = await answersOf(session, { count, inputs: Object.fromEntries(inputs) });
    for (const [name, values] of Object.entries(answers)) found.set(name, values);
  }
  return Object.fromEntries(found);
}

test.each([
  ['captions', { logits: 'logits' }],
  ['questions', { logits: 'logits' }],
  ['statements', { logits: 'logits' }],
  ['retrieval', { image_embeds: 'images', text_embeds: 'texts', matches: 'matches' }],
] as const)(
  'files of a BLIP for %s, one after another, say what the whole model says',
  async (purpose, names) => {
    const config = blipModels[purpose];
    const model = modelOf(config);
    const parameters = randomParameters(model);
    const parts = modelParts({ config });
    const given = new Map(parts.map((part) => [part.name, someInputs(part, EXAMPLES * part.times)]));
    const found = await chained(config, parameters, given);
    const tokensOf = (name: 'grounded' | 'decoder') => {
      const { values, shape } = given.get(name)?.inputs['input_ids'] ?? { values: [], shape: [1] };
      return tensor2d(Int32Array.from(values, Number), [EXAMPLES, shape[0] ?? 1], 'int32');
    };
    tidy(() => {
      const any: AnyDenseModel = {
        kind: config.kind,
        model,
        params: uploadTree<TensorTree>(model.specs, parameters),
      };
      const { values, shape } = given.get('vision')?.inputs['pixel_values'] ?? { values: [], shape: [] };
      const [channels = 1, height = 1, width = 1] = shape;
      const pictures = values.length / (channels * height * width);
      const pixels = tensor4d(Float32Array.from(values, Number), [pictures, channels, height, width]);
      const wanted: Readonly<Record<string, Tensor>> = any.model.forward(any.params, {
        images: transpose(pixels, [0, 2, 3, 1]),
        tokens: tokensOf(purpose === 'captions' ? 'decoder' : 'grounded'),
        ...(purpose === 'questions' ? { answers: tokensOf('decoder') } : {}),
      });
      for (const [own, engine] of Object.entries(names)) {
        const apart = difference(
          found[own] ?? new Float32Array(),
          Float32Array.from(wanted[engine]?.dataSync() ?? []),
        );
        expect([own, apart < 1e-4]).toEqual([own, true]);
      }
    });
  },
);

test('each has the files of its purpose', () => {
  const filesOf = (config: BlipConfig) => modelParts({ config }).map(({ name }) => name);
  expect(Object.values(blipModels).map(filesOf)).toEqual([
    ['vision', 'decoder'],
    ['vision', 'grounded', 'decoder'],
    ['vision', 'grounded'],
    ['vision', 'text', 'grounded'],
  ]);
});
