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
import type { OnnxPrecision } from '../src/onnx/precision';
import { writeOnnx } from '../src/onnx/write-onnx';
import { engineAnswers, fixedExamples } from '../src/proof/engine-answers';
import { type Claim, proveFiles } from '../src/proof/prove-files';
import { cutModels, cutTaskModels, mergingModels, randomParameters } from './cut-models';
import type { Lie } from './lie-edits';
import {
  expressionLies,
  glipLies,
  lxmertLies,
  lxmertPairLies,
  statementLies,
  uniterPairLies,
} from './region-lies';
import { decoderLies, mdetrLies, mergingLies, segmenterLies } from './task-lies';
import { hiddenLies, sharedLies, visionTowerLies } from './tower-lies';

const root = mkdtempSync(join(tmpdir(), 'winnow-lies-'));
const claims = new Map<string, Claim>();
const told = [
  ['a segmenter with a mask decoder', 'f32', 'model.onnx', segmenterLies],
  ['an MDETR for questions', 'f32', 'model.onnx', mdetrLies],
  ['a ViLT for statements', 'f32', 'model.onnx', statementLies],
  ['an LXMERT', 'f32', 'model.onnx', lxmertLies],
  ['a UNITER for expressions', 'f32', 'model.onnx', expressionLies(4)],
  ['an LXMERT for expressions', 'f32', 'model.onnx', expressionLies(3)],
  ['a UNITER for statements', 'f32', 'model.onnx', uniterPairLies],
  ['an LXMERT for statements', 'f32', 'model.onnx', lxmertPairLies],
  ['a GLIP whose towers share columns', 'f32', 'model.onnx', glipLies],
  ['a BLIP for captions', 'f32', 'decoder_model.onnx', decoderLies],
  ['a ViT whose tokens merge', 'f32', 'model.onnx', mergingLies],
  ['a ViT whose tokens merge', 'int8', 'model_quantized.onnx', mergingLies],
  ['a ViT whose columns are shared', 'int8', 'model_quantized.onnx', sharedLies],
  ['a CLIP', 'f32', 'vision_model.onnx', visionTowerLies],
  ['a UNITER for pre-training', 'f32', 'model.onnx', hiddenLies],
] as const;

beforeAll(async () => {
  await startEngine('wasm');
  for (const [name, precision] of told) claims.set(`${name} ${precision}`, await claimOf(name, precision));
});
afterAll(() => {
  for (const { opened } of claims.values()) disposeTree(opened.params);
  rmSync(root, { recursive: true });
});

/** A model with its files, and the examples of its proof in the place of real pictures. */
async function claimOf(name: string, precision: OnnxPrecision): Promise<Claim> {
  const config: DenseConfig | undefined = cutModels[name] ?? cutTaskModels[name] ?? mergingModels[name];
  if (config === undefined) throw new Error(name);
  const model = modelOf(config);
  const params = uploadTree<TensorTree>(model.specs, randomParameters(config));
  const saved = join(root, `${name} ${precision}`);
  await saveModel(saved, { model, params });
  disposeTree(params);
  const opened = await openModel(saved);
  const folder = `${saved}, files`;
  mkdirSync(folder);
  const parts = modelParts(opened.model);
  const calibration = new Map(parts.map((each) => [each.name, fixedExamples(each)]));
  await writeOnnx(folder, opened, { precision, calibration }, {});
  const [first, part = first] = parts;
  if (first === undefined || part === undefined) throw new Error('expected parts');
  const kinds: Readonly<Record<string, number>> = {
    segmenter: 5,
    mdetr: 8,
    blip: 11,
    vilt: 2,
    lxmert: 5,
    glip: 7,
  };
  const ofName = [
    ['for pre-training', 2],
    ['statements', 2],
    ['UNITER for expressions', 4],
    ['LXMERT for expressions', 3],
  ] as const;
  const [, classes = kinds[config.kind] ?? 3] = ofName.find(([words]) => name.endsWith(words)) ?? [];
  if (config.kind === 'dual-encoder') {
    const pictures = {
      pictures: new Map(parts.map((each) => [each.name, fixedExamples(each)])),
      asked: {
        kind: 'texts',
        pictures: { part: first, output: 'image_embeds' },
        texts: { part, output: 'text_embeds' },
      },
      examples: 'pictures with texts',
    } as const;
    return { opened, companions: {}, precision, folder, pictures, threads: 1 };
  }
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
    asked: { kind: 'classes', part, output: 'logits', classes },
    examples: 'pictures',
  } as const;
  return { opened, companions: {}, precision, folder, pictures, threads: 1 };
}

async function failing(claimed: string, named: string, lie: Lie | undefined): Promise<string[]> {
  const claim = claims.get(claimed);
  if (claim === undefined) throw new Error(claimed);
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

describe.each(told)('every lie about %s in %s is found in %s:', (name, precision, file, lies) => {
  const claimed = `${name} ${precision}`;
  test('where there is none, nothing is', async () => {
    expect(await failing(claimed, file, undefined)).toEqual([]);
  });

  test.each(lies)('%s (%s)', async (_, part, lie) => {
    expect(await failing(claimed, file, lie)).toContain(part);
  });
});

test('towers that changed places are found', async () => {
  const claim = claims.get('a CLIP f32');
  if (claim === undefined) throw new Error('expected a CLIP');
  const folder = join(root, 'swapped');
  const at = (own: string, name: string) => join(own, 'onnx', `${name}_model.onnx`);
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  cpSync(at(claim.folder, 'vision'), at(folder, 'text'));
  cpSync(at(claim.folder, 'text'), at(folder, 'vision'));
  // Each gets what the other takes: ONNX Runtime runs neither.
  await expect(proveFiles({ ...claim, folder }, proofFacts)).rejects.toThrow(/Unexpected input data type/);
});
