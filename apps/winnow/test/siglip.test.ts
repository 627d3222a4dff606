import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DualEncoderParams, disposeTree, dualEncoder, initialize } from '@winnow/core';
import { wordTokenizer } from '@winnow/data';
import { startEngine } from '@winnow/engine';
import { exportHuggingFace, readSafetensors, writeSafetensors } from '@winnow/formats';
import type { Predictions } from '@winnow/lab';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-siglip-'));
const at = (...path: string[]) => join(root, ...path);
const ENGINE = ['--engine', 'wasm'];
const QUICK = [...ENGINE, '--batch-size', '4', '--evaluate-every', '0it'];
const words = wordTokenizer(['a red picture', 'a blue picture']);
const block = { headDim: 8, hiddenDim: 32 };
const tower = {
  ...{ embedDim: 16, heads: 2, denseHeadDim: 8, activation: 'gelu-tanh' as const, causal: false },
  ...{ normEpsilon: 1e-6, blocks: [block] },
} as const;

const configIn = (...path: string[]) => JSON.parse(readFileSync(at(...path), 'utf8'));

beforeAll(async () => {
  await startEngine('wasm');
  await makePictures(at('pictures'));
  const rows = ['train', 'validation', 'test'].flatMap((split) =>
    ['red', 'blue'].flatMap((colour) =>
      readdirSync(at('pictures', split, colour)).map(
        (file) => `pictures/${split}/${colour}/${file},a ${colour} picture,${split}`,
      ),
    ),
  );
  writeFileSync(at('captions.csv'), ['image,caption,split', ...rows].join('\n'));
  const whole = dualEncoder({
    ...{ kind: 'dual-encoder', projectionDim: 16, projections: 'text-alone', loss: 'sigmoid' },
    vision: {
      ...{ imageSize: 16, patchSize: 8, channels: 3, distillation: 'none', classToken: false },
      ...{ embeddingNorm: false, patchBias: true, tower, attentionPool: block },
    },
    text: { vocabulary: words.vocabulary, context: 8, endToken: 'last', tower },
  });
  const own = initialize<DualEncoderParams>(whole.specs, 1);
  await exportHuggingFace(at('siglip'), { model: whole, params: own });
  disposeTree(own);
  writeFileSync(at('siglip', 'tokenizer.json'), JSON.stringify(words.file));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test.each([
  ['upop', ['--search', '2it']],
  ['random', []],
])('a SigLIP of Hugging Face is compressed as every dual encoder is: %s', async (method, more) => {
  const out = `by-${method}`;
  const { code, stderr } = await winnow([
    ...['compress', '--from', at('siglip'), '--task', 'retrieval', '--data', at('captions.csv'), ...ENGINE],
    ...[
      '--method',
      method,
      '--budget',
      '0.5',
      '--retrain',
      '2it',
      ...more,
      '--batch-size',
      '4',
      '--out',
      at(out),
    ],
  ]);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  const { compressed } = configIn(out, 'summary.json');
  expect(compressed.cut).toEqual(compressed.masked);
  const { model, decision } = configIn(out, 'model', 'structure.json');
  expect(model).toMatchObject({ loss: 'sigmoid', projections: 'text-alone', text: { endToken: 'last' } });
  expect(Object.keys(decision.sites)).toEqual(
    expect.arrayContaining(['vision.attentionPool.attention', 'vision.attentionPool.ffn']),
  );
});

test('a SigLIP tells pictures apart by texts, each filled up to the context', async () => {
  const { code, stdout } = await winnow([
    ...['evaluate', at('siglip'), '--data', at('pictures'), ...ENGINE, '--json'],
    ...['--zero-shot', 'a {} picture'],
  ]);
  expect(code).toBe(0);
  expect(Number.isFinite(JSON.parse(stdout).scores.top1)).toBe(true);
});

test('a SigLIP says of each text by itself how likely it fits a picture', async () => {
  const answers = async (texts: string): Promise<Map<string, number>> => {
    const { code, stdout } = await winnow([
      ...['predict', at('siglip'), at('pictures', 'test', 'red'), ...ENGINE, '--json', '--texts', texts],
    ]);
    expect(code).toBe(0);
    const { predictions } = JSON.parse(stdout) as Pick<Predictions, 'predictions'>;
    return new Map(
      predictions.flatMap(({ picture, best }) =>
        best.map(({ name, probability }) => [`${picture}: ${name}`, probability] as const),
      ),
    );
  };
  const two = await answers('a red picture|a blue picture');
  const three = await answers('a red picture|a blue picture|a picture');
  for (const [name, probability] of two) expect(three.get(name)).toBeCloseTo(probability, 6);
  expect(two.size).toBeGreaterThan(0);
});

test('the vision tower of a SigLIP is trained on as a classifier, by its attention pool', async () => {
  const { tensors } = await readSafetensors(at('siglip', 'model.safetensors'));
  const vision = new Map([...tensors].filter(([name]) => name.startsWith('vision_model.')));
  const config = configIn('siglip', 'config.json').vision_config;
  const folder = await mkdtemp(at('vision-'));
  await writeSafetensors(join(folder, 'model.safetensors'), vision, { format: 'pt' });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const { code, stderr } = await winnow([
    ...['train', '--from', folder, '--data', at('pictures'), ...QUICK, '--duration', '1it'],
    ...['--head', 'new', '--out', at('classifier')],
  ]);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  const { model } = configIn('classifier', 'model', 'structure.json');
  expect(model).toMatchObject({
    classes: 2,
    classToken: false,
    attentionPool: { headDim: 8, hiddenDim: 32 },
  });
});
