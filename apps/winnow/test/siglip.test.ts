import { copyFileSync, cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DualEncoderParams, disposeTree, dualEncoder, initialize } from '@winnow/core';
import { openTokenizer, siglipTokenizer, wordTokenizer } from '@winnow/data';
import { startEngine } from '@winnow/engine';
import { exportHuggingFace, readSafetensors, writeSafetensors } from '@winnow/formats';
import type { Predictions } from '@winnow/lab';
import { makePictures } from '@winnow/testkit';
import { PROVED, winnow } from './terminal';

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

const siglipOf = (vocabulary: number) =>
  dualEncoder({
    ...{ kind: 'dual-encoder', projectionDim: 16, projections: 'text-alone', loss: 'sigmoid' },
    vision: {
      ...{ imageSize: 16, patchSize: 8, channels: 3, distillation: 'none', classToken: false },
      ...{ embeddingNorm: false, patchBias: true, tower, attentionPool: block },
    },
    text: { vocabulary, context: 8, endToken: 'last', tower },
  });

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
  const whole = siglipOf(words.vocabulary);
  const own = initialize<DualEncoderParams>(whole.specs, 1);
  await exportHuggingFace(at('siglip'), { model: whole, params: own });
  disposeTree(own);
  writeFileSync(at('siglip', 'tokenizer.json'), JSON.stringify(words.file));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const pieces = join(import.meta.dirname, '../../../packages/data/test/tokenizer/unigram/spiece.model');

describe("SigLIP's own tokenizer, a SentencePiece model beside the weights", () => {
  beforeAll(async () => {
    const model = siglipOf(siglipTokenizer(readFileSync(pieces)).vocabulary);
    const own = initialize<DualEncoderParams>(model.specs, 1);
    await exportHuggingFace(at('pieces'), { model, params: own });
    disposeTree(own);
    copyFileSync(pieces, at('pieces', 'spiece.model'));
  });

  test('reads texts for predict, whatever their case and signs', async () => {
    const answers = async (texts: string) => {
      const { code, stdout, stderr } = await winnow([
        ...['predict', at('pieces'), at('pictures', 'test', 'red'), ...ENGINE, '--json', '--texts', texts],
      ]);
      expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:|unknown/)]);
      const { predictions } = JSON.parse(stdout) as Pick<Predictions, 'predictions'>;
      return predictions.map(({ best }) => best.map(({ probability }) => probability));
    };
    expect(await answers('A red shirt!|a blue, shirt')).toEqual(await answers('a red shirt|a blue shirt'));
  });

  test('reads texts for a training, and goes with the model from then on, out of it too', async () => {
    const { code, stderr } = await winnow([
      ...['train', '--from', at('pieces'), '--task', 'retrieval', '--data', at('captions.csv'), ...QUICK],
      ...['--duration', '2it', '--out', at('trained')],
    ]);
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
    const { model, normalizer } = configIn('trained', 'model', 'tokenizer.json');
    expect([model.type, normalizer.normalizers[0].type]).toEqual(['Unigram', 'Lowercase']);
    for (const from of ['trained', 'pieces']) {
      const exported = await winnow([
        'export',
        at(from),
        '--out',
        at(`${from}-out`),
        '--format',
        'hugging-face',
      ]);
      expect([exported.code, exported.stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
      expect(configIn(`${from}-out`, 'tokenizer_config.json')).toMatchObject({
        eos_token: '</s>',
        pad_token: '</s>',
        unk_token: '<unk>',
        model_max_length: 8,
      });
    }
    expect(readFileSync(at('pieces-out', 'spiece.model'))).toEqual(readFileSync(pieces));
  });
});

test("a SigLIP of open_clip is imported with its tokenizer, which reads texts as open_clip's own code cleans them", async () => {
  const checkpoint = join(import.meta.dirname, '../../../packages/formats/test/reference/siglip-open-clip');
  cpSync(checkpoint, at('open-clip'), { recursive: true });
  const characters = ['</s>', '<unk>', ...' abcdefgh'].map((sign) => sign.replace(' ', '\u2581'));
  const { file } = siglipTokenizer(readFileSync(pieces));
  const {
    model,
    added_tokens: _,
    normalizer: __,
    post_processor,
    ...rest
  } = JSON.parse(JSON.stringify(file));
  const vocab = characters.map((sign) => [sign, -1]);
  post_processor.special_tokens['</s>'].ids = [0];
  const own = {
    ...rest,
    post_processor,
    normalizer: null,
    added_tokens: [],
    model: { ...model, vocab, unk_id: 1 },
  };
  writeFileSync(at('open-clip', 'tokenizer.json'), JSON.stringify(own));
  const { code, stderr } = await winnow(['import', at('open-clip'), '--out', at('imported'), '--heads', '3']);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  const tokenizer = await openTokenizer(at('imported', 'tokenizer.json'));
  expect(tokenizer.encode('A_B!  c', 64)).toEqual(tokenizer.encode('a b c', 64));
  expect([...tokenizer.encode('A', 64)]).toEqual([2, 3, 0]);
  const predicted = await winnow([
    ...['predict', at('imported'), at('pictures', 'test', 'red'), ...ENGINE, '--json', '--texts', 'A b|C'],
  ]);
  expect([predicted.code, predicted.stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
});

test.each([
  ['upop', ['--search', '2it']],
  ['random', []],
])('a SigLIP of Hugging Face is compressed as every dual encoder is: %s', async (method, more) => {
  const out = `by-${method}`;
  const { code, stderr, stdout } = await winnow([
    ...[
      'compress',
      '--from',
      at('siglip'),
      '--task',
      'retrieval',
      '--data',
      at('captions.csv'),
      ...ENGINE,
      '--prove',
      'full',
    ],
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
  expect(stdout).toContain(PROVED);
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
