import { cpSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import {
  type DualEncoderConfig,
  type TensorTree,
  type VisionTransformerConfig,
  disposeTree,
  modelOf,
  uploadTree,
} from '@winnow/core';
import { env, pipeline } from '@huggingface/transformers';
import { wordTokenizer } from '@winnow/data';
import { startEngine } from '@winnow/engine';
import { saveModel } from '@winnow/formats';
import { makePictures } from '@winnow/testkit';
import sharp from 'sharp';
import { z } from 'zod';
import { exportModel, predictPictures, proveModel } from '../src/index';
import { clip, cutModels, plain, randomParameters } from './cut-models';

const root = await mkdtemp(join(tmpdir(), 'winnow-transformers-js-'));
const at = (...path: string[]) => join(root, ...path);
const MINUTES = 180_000;
const tokenizer = wordTokenizer(['a red blue picture of something']);
const { vocabulary, endToken } = tokenizer;
const classNames = ['a', 'b', 'c'];
/** A picture of the models' size: that library scales pictures in a way of its own. */
const picture = at('noise.png');
/** Pictures of 8 px, by their shorter side, as CLIP's are prepared. */
const preparation = {
  image_processor_type: 'CLIPImageProcessor',
  ...{ do_resize: true, size: { shortest_edge: 8 }, resample: 3, do_rescale: true, rescale_factor: 1 / 255 },
  ...{ do_center_crop: true, crop_size: { height: 8, width: 8 }, do_normalize: true, do_convert_rgb: true },
  ...{ image_mean: [0.5, 0.4, 0.6], image_std: [0.25, 0.2, 0.3] },
};

const dual: DualEncoderConfig = { ...clip, text: { ...clip.text, vocabulary, endToken } };
const { 'a SigLIP': sigmoidal, 'a ViT whose columns are shared': shared } = cutModels;
if (sigmoidal?.kind !== 'dual-encoder' || shared?.kind !== 'vision-transformer')
  throw new Error('expected a SigLIP and a ViT');
const merging: VisionTransformerConfig = { ...plain, merging: { perBlock: 1 } };
const siglip: DualEncoderConfig = { ...sigmoidal, text: { ...sigmoidal.text, vocabulary } };

beforeAll(async () => {
  await startEngine('wasm');
  const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, (_, place) => (place * 37 + (place % 7) * 50) % 256);
  await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } }).toFile(picture);
  Object.assign(env, { allowRemoteModels: false, localModelPath: `${root}${sep}`, useFSCache: false });
  for (const [name, config] of Object.entries({ plain, shared, merging, dual, siglip }))
    await write(name, config);
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** A cut model of random parameters, and the folder that it is exported to. */
async function write(name: string, config: VisionTransformerConfig | DualEncoderConfig): Promise<void> {
  const model = modelOf(config);
  const params = uploadTree<TensorTree>(model.specs, randomParameters(config));
  const companions = {
    'preprocessor_config.json': JSON.stringify(preparation),
    ...(config.kind === 'dual-encoder' ? { 'tokenizer.json': JSON.stringify(tokenizer.file) } : {}),
  };
  await saveModel(at('models', name), {
    model,
    params,
    companions,
    ...(config.kind === 'dual-encoder' ? {} : { classNames }),
  });
  disposeTree(params);
  await exportModel(at('models', name), { format: 'onnx', out: at(name) });
}

const answers = z.array(z.looseObject({ label: z.string(), score: z.number() }));

/** The same labels in the same order, with the same probabilities. */
async function expectAsHere(
  found: unknown,
  model: string,
  { texts, digits = 5 }: { readonly texts?: string; readonly digits?: number } = {},
): Promise<void> {
  const given = { engine: 'wasm', ...(texts === undefined ? {} : { texts }) };
  const { predictions } = await predictPictures(at('models', model), [picture], given);
  const best = predictions[0]?.best ?? [];
  const own = answers.parse(found);
  expect(own.map(({ label }) => label)).toEqual(
    best.map(({ name }) => name.replace(/^a (.*) picture$/, '$1')),
  );
  for (const [place, { probability }] of best.entries())
    expect(own[place]?.score).toBeCloseTo(probability, digits);
}

test.each(['plain', 'shared', 'merging'])(
  'a cut classifier in the pipeline of classification: %s',
  async (name) => {
    const classify = await pipeline('image-classification', name, { dtype: 'fp32', device: 'cpu' });
    await expectAsHere(await classify(picture, { top_k: 3 }), name);
    await classify.dispose();
  },
  MINUTES,
);

test.each(['dual', 'siglip'])(
  'a cut dual encoder in the pipeline of zero-shot classification, with texts of other lengths than the context: %s',
  async (name) => {
    const tell = await pipeline('zero-shot-image-classification', name, { dtype: 'fp32', device: 'cpu' });
    const labels = ['red', 'blue', 'something'];
    const found = await tell(picture, labels, { hypothesis_template: 'a {} picture' });
    await expectAsHere(found, name, { texts: labels.map((label) => `a ${label} picture`).join('|') });
    await tell.dispose();
  },
  MINUTES,
);

test(
  'the picture tower of a dual encoder in the pipeline of features',
  async () => {
    const embed = await pipeline('image-feature-extraction', 'dual', { dtype: 'fp32', device: 'cpu' });
    const { dims } = z.looseObject({ dims: z.array(z.number()) }).parse(await embed(picture));
    expect(dims).toEqual([1, dual.projectionDim]);
    await embed.dispose();
  },
  MINUTES,
);

test(
  'a dual encoder in whole numbers, whose ranges pictures and texts choose, proved and in the same pipeline',
  async () => {
    await makePictures(at('pictures'));
    // Texts that have no word in common: of two that nearly say the same, whole numbers may choose either.
    const texts = { red: 'a red picture', blue: 'something of blue' } as const;
    const rows = ['train', 'validation', 'test'].flatMap((split) =>
      (['red', 'blue'] as const).flatMap((colour) =>
        readdirSync(at('pictures', split, colour)).map(
          (file) => `pictures/${split}/${colour}/${file},${texts[colour]},${split}`,
        ),
      ),
    );
    writeFileSync(at('captions.csv'), ['image,caption,split', ...rows].join('\n'));
    const given = { precision: 'int8', data: at('captions.csv'), calibration: 8 };
    const { certificate } = await proveModel(at('models', 'dual'), {
      ...{ ...given, engine: 'wasm', threads: 1, out: at('proof') },
    });
    expect(certificate.checks.filter(({ verdict }) => verdict === 'fails')).toEqual([]);
    await expect(
      exportModel(at('models', 'dual'), { ...given, format: 'onnx', data: at('pictures'), out: at('none') }),
    ).rejects.toThrow();
    await exportModel(at('models', 'dual'), { ...given, format: 'onnx', out: at('whole') });
    for (const part of ['vision_model', 'text_model', 'model'])
      expect(statSync(at('whole', 'onnx', `${part}_quantized.onnx`)).size).toBeGreaterThan(0);
    cpSync(at('whole', 'onnx'), at('dual', 'onnx'), { recursive: true });
    const tell = await pipeline('zero-shot-image-classification', 'dual', { dtype: 'q8', device: 'cpu' });
    const found = await tell(picture, ['red', 'blue'], { hypothesis_template: 'a {} picture' });
    await expectAsHere(found, 'dual', { texts: 'a red picture|a blue picture', digits: 1 });
    await tell.dispose();
  },
  MINUTES,
);
