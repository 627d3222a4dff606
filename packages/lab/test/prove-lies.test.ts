import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type DenseConfig, type TensorTree, disposeTree, modelOf, uploadTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { saveModel } from '@winnow/formats';
import { type ExampleInput, modelParts } from '@winnow/onnx';
import { proofFacts } from '@winnow/onnx/facts';
import { ModelProtoSchema } from 'onnx-buf';
import { openModel } from '../src/index';
import { writeOnnx } from '../src/onnx/write-onnx';
import { engineAnswers, fixedExamples } from '../src/proof/engine-answers';
import { type Claim, proveFiles } from '../src/proof/prove-files';
import { cutTaskModels, mergingModels, randomParameters } from './cut-models';
import type { Lie } from './lie-edits';
import { decoderLies, mdetrLies, mergingLies, segmenterLies } from './task-lies';

const root = mkdtempSync(join(tmpdir(), 'winnow-lies-'));
const claims = new Map<string, Claim>();
beforeAll(async () => {
  await startEngine('wasm');
  for (const name of [
    'a segmenter with a mask decoder',
    'an MDETR for questions',
    'a BLIP for captions',
    'a ViT whose tokens merge',
  ])
    claims.set(name, await claimOf(name));
});
afterAll(() => {
  for (const { opened } of claims.values()) disposeTree(opened.params);
  rmSync(root, { recursive: true });
});

/** A model with its files, and the examples of its proof in the place of real pictures. */
async function claimOf(name: string): Promise<Claim> {
  const config: DenseConfig | undefined = cutTaskModels[name] ?? mergingModels[name];
  if (config === undefined) throw new Error(name);
  const model = modelOf(config);
  const params = uploadTree<TensorTree>(model.specs, randomParameters(config));
  await saveModel(join(root, name), { model, params });
  disposeTree(params);
  const opened = await openModel(join(root, name));
  const folder = join(root, `${name}, files`);
  mkdirSync(folder);
  await writeOnnx(folder, opened, {}, {});
  const parts = modelParts(opened.model);
  const [first, part = first] = parts;
  if (first === undefined || part === undefined) throw new Error('expected parts');
  const classes = { segmenter: 3, mdetr: 8, blip: 11 }[config.kind] ?? 3;
  // Of a BLIP the decoder takes what the engine, or the file of pictures, has seen.
  const seen = await engineAnswers(opened, first, fixedExamples(first));
  const own = fixedExamples(part);
  const inputs = Object.entries(own.inputs).map(([input, given]): [string, ExampleInput] => [
    input,
    { ...given, values: seen[input] ?? given.values },
  ]);
  const pictures = {
    pictures: new Map([
      [first.name, fixedExamples(first)],
      [part.name, { ...own, inputs: Object.fromEntries(inputs) }],
    ]),
    asked: { part, output: 'logits' },
    classes,
  };
  return { opened, companions: {}, precision: 'f32', folder, pictures, threads: 1 };
}

async function failing(name: string, named: string, lie: Lie | undefined): Promise<string[]> {
  const claim = claims.get(name);
  if (claim === undefined) throw new Error(name);
  const folder = join(root, 'lie');
  cpSync(claim.folder, folder, { recursive: true });
  const file = join(folder, 'onnx', named);
  if (lie !== undefined) {
    const model = fromBinary(ModelProtoSchema, readFileSync(file));
    lie(model);
    writeFileSync(file, toBinary(ModelProtoSchema, model));
  }
  const { checks } = await proveFiles({ ...claim, folder }, proofFacts);
  return checks.flatMap(({ name: check, verdict }) => (verdict === 'fails' ? [check] : []));
}

describe.each([
  ['a segmenter with a mask decoder', 'model.onnx', segmenterLies],
  ['an MDETR for questions', 'model.onnx', mdetrLies],
  ['a BLIP for captions', 'decoder_model.onnx', decoderLies],
  ['a ViT whose tokens merge', 'model.onnx', mergingLies],
])('every lie about %s is found in %s:', (name, file, lies) => {
  test('where there is none, nothing is', async () => {
    expect(await failing(name, file, undefined)).toEqual([]);
  });

  test.each(lies)('%s (%s)', async (_, part, lie) => {
    expect(await failing(name, file, lie)).toContain(part);
  });
});
