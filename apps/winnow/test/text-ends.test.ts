import { readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DualEncoderParams,
  type EndToken,
  disposeTree,
  downloadTree,
  dualEncoder,
  initialize,
  randomStream,
  uploadTree,
} from '@winnow/core';
import { wordTokenizer } from '@winnow/data';
import { startEngine } from '@winnow/engine';
import { exportHuggingFace } from '@winnow/formats';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-text-ends-'));
const at = (...path: string[]) => join(root, ...path);
const ENGINE = ['--engine', 'wasm'];
const TINY = [...ENGINE, '--batch-size', '4', '--evaluate-every', '0it', '--task', 'retrieval'];
const zeroShot = (model: string) =>
  winnow([
    ...['evaluate', at(model), '--data', at('pictures'), ...ENGINE, '--json'],
    ...['--zero-shot', 'a {} picture'],
  ]);
const trainOn = (from: string, out: string) =>
  winnow([
    'train',
    ...TINY,
    '--from',
    at(from),
    '--data',
    at('captions.csv'),
    '--duration',
    '0it',
    '--out',
    at(out),
  ]);

const words = wordTokenizer(['a red picture', 'a blue picture, number 1']);
/** Rows of the embedding that no token has. */
const SPARE = 3;

/** Writes a CLIP of Hugging Face with the tokenizer of these words, always with the same weights. */
async function writeClip(name: string, vocabulary: number, endToken: EndToken): Promise<void> {
  const blocks = [{ headDim: 8, hiddenDim: 32 }];
  const tower = { embedDim: 16, heads: 2, denseHeadDim: 8, activation: 'quick-gelu', blocks } as const;
  const model = dualEncoder({
    kind: 'dual-encoder',
    projectionDim: 16,
    vision: {
      ...{ imageSize: 16, patchSize: 8, channels: 3, distillation: 'none' },
      ...{ embeddingNorm: true, patchBias: false, tower: { ...tower, causal: false, normEpsilon: 1e-5 } },
    },
    text: { vocabulary, context: 12, endToken, tower: { ...tower, causal: true, normEpsilon: 1e-5 } },
  });
  const params = initialize<DualEncoderParams>(model.specs, 1);
  const values = await downloadTree(params);
  disposeTree(params);
  // As in every other model, before the rows that no token has.
  const shape = [vocabulary, tower.embedDim];
  const { normal } = randomStream(1, 'embedding');
  const embedding = Float32Array.from({ length: vocabulary * tower.embedDim }, normal);
  values.set('text.tokenEmbedding', { dtype: 'float32', shape, values: embedding });
  const uploaded = uploadTree<DualEncoderParams>(model.specs, values);
  await exportHuggingFace(at(name), { model, params: uploaded });
  disposeTree(uploaded);
  writeFileSync(at(name, 'tokenizer.json'), JSON.stringify(words.file));
}

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
  const { vocabulary, endToken } = words;
  await writeClip('plain', vocabulary, endToken);
  await writeClip('said', vocabulary + SPARE, endToken);
  await writeClip('legacy', vocabulary + SPARE, 'greatest');
  await writeClip('another', vocabulary + SPARE, vocabulary);
  await writeClip('short', vocabulary - 1, 'greatest');
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('an end that the configuration calls 2 is the greatest token of a text, however long the embedding is', async () => {
  const [plain, said, legacy] = await Promise.all([zeroShot('plain'), zeroShot('said'), zeroShot('legacy')]);
  expect([plain.code, said.code, legacy.code]).toEqual([0, 0, 0]);
  const { scores } = JSON.parse(plain.stdout);
  expect(JSON.parse(said.stdout).scores).toEqual(scores);
  expect(JSON.parse(legacy.stdout).scores).toEqual(scores);

  for (const from of ['said', 'legacy']) {
    const { code, stderr } = await trainOn(from, `on-${from}`);
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  }
});

test('a tokenizer that ends texts otherwise, or has more tokens, is refused wherever texts are read', async () => {
  const { vocabulary, endToken } = words;
  const refusals = {
    another: `ends texts with the token ${vocabulary}, but the tokenizer with ${endToken}: choose`,
    short: `knows ${vocabulary - 1} tokens, but the tokenizer has ${vocabulary}: choose`,
  };
  for (const [model, said] of Object.entries(refusals)) {
    for (const { code, stderr } of [await zeroShot(model), await trainOn(model, `refused-${model}`)]) {
      expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
    }
  }
});
