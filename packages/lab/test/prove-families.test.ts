import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DenseConfig,
  type HostTensor,
  type ModelConfig,
  type TensorTree,
  disposeTree,
  maskFrom,
  modelOf,
  uploadTree,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { saveModel } from '@winnow/formats';
import { type ExampleInput, modelParts } from '@winnow/onnx';
import { proofFacts } from '@winnow/onnx/facts';
import { openModel } from '../src/index';
import { cutModels, cutTaskModels, mergingModels, randomParameters } from './cut-models';
import { companionsOf } from '../src/model-source/export-model';
import type { OnnxPrecision } from '../src/onnx/precision';
import { writeOnnx } from '../src/onnx/write-onnx';
import { fixedExamples } from '../src/proof/engine-answers';
import { proveFiles } from '../src/proof/prove-files';
import type { RealPictures } from '../src/proof/real-pictures';

const root = mkdtempSync(join(tmpdir(), 'winnow-families-'));
beforeAll(async () => {
  await startEngine('wasm');
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** The parts of the proof that do not hold for a model in a precision. */
async function failing(
  name: string,
  config: ModelConfig,
  parameters: ReadonlyMap<string, HostTensor>,
  precisions: readonly OnnxPrecision[] = ['f32', 'f16', 'int8'],
) {
  const model = modelOf(config);
  const params = uploadTree<TensorTree>(model.specs, parameters);
  const folder = join(root, name);
  await saveModel(folder, { model, params });
  disposeTree(params);
  const opened = await openModel(folder);
  const companions = await companionsOf(opened);
  const failed: string[] = [];
  const parts = modelParts(opened.model);
  const calibration = new Map(parts.map((part) => [part.name, fixedExamples(part)]));
  for (const precision of precisions) {
    const files = join(folder, precision);
    mkdirSync(files);
    await writeOnnx(files, opened, { precision, calibration }, companions);
    const claim = { opened, companions, precision, folder: files, pictures: { why: 'none' }, threads: 1 };
    const { checks } = await proveFiles(claim, proofFacts);
    failed.push(...checks.flatMap(({ verdict, says }) => (verdict === 'fails' ? [...says] : [])));
  }
  disposeTree(opened.params);
  return failed;
}

test.each(Object.entries({ ...cutModels, ...cutTaskModels, ...mergingModels }))(
  '%s is proved in every precision',
  async (name, config) => {
    expect(await failing(name, config, randomParameters(config))).toEqual([]);
  },
);

test('whole numbers of regions are compared on real ones, where their ranges lie, and not on noise', async () => {
  const config = cutTaskModels['an LXMERT'];
  if (config === undefined) throw new Error('expected an LXMERT');
  const model = modelOf(config);
  const params = uploadTree<TensorTree>(model.specs, randomParameters(config));
  const folder = join(root, 'an LXMERT of small features');
  await saveModel(folder, { model, params });
  disposeTree(params);
  const opened = await openModel(folder);
  const [part] = modelParts(opened.model);
  if (part === undefined) throw new Error('expected a part');
  const { count, inputs } = fixedExamples(part);
  const small = Object.entries(inputs).map(([name, { shape, values }]): [string, ExampleInput] => [
    name,
    {
      shape,
      values:
        name === 'visual_feats'
          ? Float32Array.from(Array.from(values, Number), (value) => value / 40)
          : values,
    },
  ]);
  const real = new Map([[part.name, { count, inputs: Object.fromEntries(small) }]]);
  const precision = 'int8';
  await writeOnnx(folder, opened, { precision, calibration: real }, {});
  const outputsWith = async (pictures: RealPictures) => {
    const claim = { opened, companions: {}, precision, folder, pictures, threads: 1 } as const;
    const { checks } = await proveFiles(claim, proofFacts);
    return checks.find(({ name }) => name === 'outputs')?.verdict;
  };
  expect(
    await outputsWith({
      pictures: real,
      asked: { kind: 'classes', part, output: 'logits', classes: 5 },
      examples: 'pictures',
    }),
  ).toBe('holds');
  expect(await outputsWith({ why: 'none' })).toBe('fails');
  disposeTree(opened.params);
});

test.each([
  ['a cut ViT', 'blocks.0.ffn.expand.weight'],
  ['a ViT whose tokens merge', 'blocks.0.attention.key.weight'],
  ['the text tower of a CLIP', 'blocks.1.attention.value.weight'],
  ['a CLIP', 'text.blocks.0.ffn.contract.weight'],
  ['a segmenter with a mask decoder', 'decoder.blocks.1.attention.query.weight'],
  ['a ViLT for answers', 'vision.blocks.0.ffn.expand.weight'],
  ['a ViLT for statements', 'vision.blocks.0.attention.query.weight'],
  ['a UNITER', 'trunk.blocks.0.ffn.expand.weight'],
  ['a UNITER for expressions', 'trunk.blocks.0.ffn.expand.weight'],
  ['a UNITER for statements', 'trunk.blocks.0.attention.query.weight'],
  ['a UNITER for pre-training', 'trunk.blocks.1.ffn.contract.weight'],
  ['an LXMERT', 'cross.blocks.0.cross.query.weight'],
  ['an LXMERT for expressions', 'cross.blocks.0.cross.query.weight'],
  ['an LXMERT for statements', 'vision.blocks.0.ffn.expand.weight'],
  ['a GLIP with one grid, whose regions and words meet at the end', 'text.blocks.0.ffn.expand.weight'],
  ['an MDETR', 'text.blocks.0.ffn.expand.weight'],
  ['a BLIP for captions', 'decoder.blocks.0.cross.query.weight'],
] as const)('%s with masks is proved to have their zeros', async (name, path) => {
  const model: DenseConfig | undefined = cutModels[name] ?? cutTaskModels[name] ?? mergingModels[name];
  if (model === undefined) throw new Error(name);
  const parameters = randomParameters(model);
  const found = parameters.get(path);
  if (found === undefined) throw new Error('expected a matrix');
  const kept = Float32Array.from(found.values, (_, at) => at % 3);
  const values = Float32Array.from(found.values, (value, at) => (at % 3 === 0 ? 0 : value));
  parameters.set(path, { dtype: 'float32', shape: found.shape, values });
  const masks = { [path]: maskFrom(kept, found.shape) };
  const config = { kind: 'masked' as const, model, masks };
  expect(await failing(`${name}, masked`, config, parameters)).toEqual([]);
});
