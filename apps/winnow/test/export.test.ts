import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DualEncoderParams, disposeTree, dualEncoder, initialize } from '@winnow/core';
import { type Tokenizer, openTokenizer, wordTokenizer } from '@winnow/data';
import { startEngine } from '@winnow/engine';
import { exportHuggingFace } from '@winnow/formats';
import { makePictures, python, pythonHas, runPython } from '@winnow/testkit';
import sharp from 'sharp';
import { z } from 'zod';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-export-'));
const at = (...path: string[]) => join(root, ...path);
/** Python and its libraries take seconds to start. */
const MINUTES = 180_000;
const CONTEXT = 12;

const words = wordTokenizer(['red', 'blue']);

/** CLIP's way with two merges: every byte has a printable sign, alone and at the end of a word. */
function bytePairFiles(): Readonly<Record<string, string>> {
  const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const others = bytes.filter((byte) => !isPrintable(byte));
  const signs = [
    ...bytes.filter(isPrintable).map((byte) => String.fromCodePoint(byte)),
    ...others.map((_, place) => String.fromCodePoint(256 + place)),
  ];
  const tokens = [...signs, ...signs.map((sign) => `${sign}</w>`), 're', 'red</w>'];
  const vocabulary = [...tokens, '<|startoftext|>', '<|endoftext|>'].map((token, index) => [token, index]);
  return {
    'vocab.json': JSON.stringify(Object.fromEntries(vocabulary)),
    'merges.txt': '#version: 0.2\nr e\nre d</w>\n',
  };
}

/** Writes a CLIP of Hugging Face, with these files beside it. */
async function writeClip(
  name: string,
  { vocabulary, endToken }: Tokenizer,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const blocks = [{ headDim: 8, hiddenDim: 32 }];
  const shape = { embedDim: 16, heads: 2, denseHeadDim: 8, activation: 'quick-gelu', blocks } as const;
  const tower = { ...shape, normEpsilon: 1e-5 };
  const model = dualEncoder({
    kind: 'dual-encoder',
    projectionDim: 16,
    vision: {
      ...{ imageSize: 16, patchSize: 8, channels: 3, distillation: 'none' },
      ...{ embeddingNorm: true, patchBias: false, tower: { ...tower, causal: false } },
    },
    text: { vocabulary, context: CONTEXT, endToken, tower: { ...tower, causal: true } },
  });
  const params = initialize<DualEncoderParams>(model.specs, 1);
  await exportHuggingFace(at(name), { model, params });
  disposeTree(params);
  for (const [file, content] of Object.entries(files)) writeFileSync(at(name, file), content);
}

const done = async (...args: string[]) => {
  const { code, stderr } = await winnow(args);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
};
const contentOf = (...path: string[]): unknown => JSON.parse(readFileSync(at(...path), 'utf8'));

const configuration = {
  'tokenizer_config.json': '{"model_max_length": 12, "tokenizer_class": "PreTrainedTokenizerFast"}',
  'special_tokens_map.json': '{"eos_token": "<end>"}',
};
const whole = { 'tokenizer.json': JSON.stringify(words.file), ...configuration };
const parts = { 'vocab.json': '{"a": 0}', 'merges.txt': '#version: 0.2\n', ...configuration };

beforeAll(async () => {
  await startEngine('wasm');
  await makePictures(at('pictures'));
  await writeClip('whole', words, whole);
  await writeClip('parts', words, parts);
  const { 'tokenizer.json': tokenizer } = whole;
  await writeClip('bare', words, { 'tokenizer.json': tokenizer });
  const pictures = ['--data', at('pictures'), '--image-size', '16', '--batch-size', '4'];
  await done('train', '--engine', 'wasm', ...pictures, '--duration', '24it', '--out', at('run'));
}, MINUTES);
afterAll(() => rm(root, { recursive: true, force: true }));

test.each([
  ['in a folder', 'whole', whole],
  ['beside a lone file', join('whole', 'model.safetensors'), whole],
  ['of a vocabulary and its merges', 'parts', parts],
])('a tokenizer %s comes through import and export, file by file', async (_, from, files) => {
  for (const name of ['imported', 'exported', 'ours']) rmSync(at(name), { recursive: true, force: true });
  await done('import', at(from), '--out', at('imported'));
  await done('export', at('imported'), '--format', 'hugging-face', '--out', at('exported'));
  await done('export', at('imported'), '--format', 'winnow', '--out', at('ours'));
  for (const folder of ['imported', 'exported', 'ours']) {
    for (const [file, content] of Object.entries(files)) {
      expect(readFileSync(at(folder, file), 'utf8')).toBe(content);
    }
  }
});

test('an export says what its tokenizer is called and how long a text may be, where nothing says it', async () => {
  await done('export', at('bare'), '--format', 'hugging-face', '--out', at('said'));
  const { unk_token: unknown } = z
    .looseObject({ unk_token: z.string() })
    .parse(contentOf('said', 'tokenizer_config.json'));
  expect(contentOf('said', 'tokenizer_config.json')).toMatchObject({
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: CONTEXT,
  });
  expect(JSON.stringify(words.file)).toContain(JSON.stringify(unknown));
});

test('an export says how pictures are brought to their size, and the names of its classes', async () => {
  await done('export', at('run'), '--format', 'hugging-face', '--out', at('classifier'));
  expect(contentOf('classifier', 'preprocessor_config.json')).toEqual({
    image_processor_type: 'CLIPImageProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: { shortest_edge: 16 },
    resample: 3,
    do_center_crop: true,
    crop_size: { height: 16, width: 16 },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.485, 0.456, 0.406],
    image_std: [0.229, 0.224, 0.225],
    winnow_resize: 'libvips',
  });
  expect(contentOf('classifier', 'config.json')).toMatchObject({
    image_size: 16,
    id2label: { 0: 'blue', 1: 'red' },
    label2id: { blue: 0, red: 1 },
  });
  // And we read it ourselves.
  const scores = async (model: string) => {
    const { stdout } = await winnow([
      ...['evaluate', at(model), '--data', at('pictures'), '--engine', 'wasm', '--json'],
    ]);
    return z.looseObject({ scores: z.unknown() }).parse(JSON.parse(stdout)).scores;
  };
  expect(await scores('classifier')).toEqual(await scores('run'));
});

test('an ONNX export is the folder that transformers.js looks into: a file for each part, and what reads their input', async () => {
  await done('export', at('run'), '--format', 'onnx', '--out', at('onnx'));
  await done(
    'export',
    at('whole'),
    '--format',
    'onnx',
    '--precision',
    'f16',
    '--opset',
    '20',
    '--out',
    at('onnx-clip'),
  );
  const all = ['config.json', 'preprocessor_config.json'];
  expect(readdirSync(at('onnx')).sort()).toEqual(['config.json', 'onnx', 'preprocessor_config.json']);
  expect(readdirSync(at('onnx', 'onnx'))).toEqual(['model.onnx']);
  expect(contentOf('onnx', 'config.json')).toMatchObject({
    model_type: 'vit',
    id2label: { 0: 'blue', 1: 'red' },
  });
  expect(readdirSync(at('onnx-clip'))).toEqual(
    expect.arrayContaining([...all, 'tokenizer.json', 'tokenizer_config.json']),
  );
  expect(readdirSync(at('onnx-clip', 'onnx')).sort()).toEqual([
    'model_fp16.onnx',
    'text_model_fp16.onnx',
    'vision_model_fp16.onnx',
  ]);
  expect(contentOf('onnx-clip', 'config.json')).toMatchObject({ model_type: 'clip', projection_dim: 16 });
  const file = readFileSync(at('onnx', 'onnx', 'model.onnx')).toString('latin1');
  for (const said of [
    'winnow.preprocessing',
    'image_mean',
    'winnow.classes',
    '["blue","red"]',
    'winnow.parameters.sha256',
  ])
    expect(file).toContain(said);
});

test('an export in whole numbers takes pictures of the run, and is refused without data', async () => {
  const flags = ['--format', 'onnx', '--precision', 'int8', '--calibration', '8'];
  await done('export', at('run'), ...flags, '--out', at('whole-numbers'));
  expect(readdirSync(at('whole-numbers', 'onnx'))).toEqual(['model_quantized.onnx']);
  const { code, stderr } = await winnow(['export', at('whole'), ...flags, '--out', at('refused')]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--precision int8')]);
});

test.each([
  [['--format', 'winnow', '--precision', 'f16'], '--precision: only ONNX files have one, not winnow'],
  [['--opset', '20'], '--opset: only ONNX files have one, not safetensors'],
  [['--format', 'onnx', '--opset', '16'], 'opset'],
  [['--format', 'onnx', '--precision', 'f8'], 'precision'],
  [['--calibration', '8'], '--calibration: only ONNX files have one, not safetensors'],
  [['--format', 'onnx', '--calibration', '8'], '--calibration is about int8'],
])('an export refuses %j', async (flags, message) => {
  const { code, stderr } = await winnow(['export', at('run'), ...flags, '--out', at('refused')]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test('flags that nothing reads are refused, and files that are not there are asked for', async () => {
  for (const [words, message] of [
    [['prove', at('run'), '--rounds', '5', '--out', at('no')], '--rounds is about times beside those of'],
    [['prove', at('run'), '--calibration', '8', '--out', at('no')], '--calibration is about int8'],
    [['demo', at('run'), '--data', at('data'), '--out', at('no')], '--data is about int8'],
    [['prove', at('run'), '--files', root, '--engine', 'wasm', '--out', at('no')], 'got no onnx/model.onnx'],
    [['inspect', at('run'), '--classes', '5'], '--classes is about a size by name'],
  ] as const) {
    const { code, stderr } = await winnow([...words]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
});

test('a proof writes files and a certificate; one of files that are not the model fails, with the parts that do', async () => {
  const flags = ['--engine', 'wasm', '--threads', '1'];
  const timed = ['--against', at('run'), '--rounds', '1', '--timed-batch', '1'];
  const proved = await winnow(['prove', at('run'), ...flags, ...timed, '--out', at('proof')]);
  expect([proved.code, proved.stdout]).toEqual([0, expect.stringContaining('✓ weights')]);
  expect(proved.stdout).toContain('the same class for 8 of 8 pictures');
  expect(readdirSync(at('proof')).sort()).toEqual([
    'certificate.html',
    'certificate.json',
    'config.json',
    'onnx',
    'preprocessor_config.json',
  ]);
  const file = at('proof', 'onnx', 'model.onnx');
  const bytes = readFileSync(file);
  // The head's numbers stand behind its name.
  const place = bytes.indexOf('head.weight', bytes.indexOf('head.weight') + 1) + 64;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const { code, stderr } = await winnow([
    'prove',
    at('run'),
    ...flags,
    '--files',
    at('proof'),
    '--out',
    at('lie'),
  ]);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/winnow: the proof fails \(.*weights.*\)/)]);
  expect(contentOf('lie', 'certificate.json')).toMatchObject({ verdict: 'failed' });
  expect((await winnow(['prove', at('run')])).stderr).toContain('prove: say with --out');
  expect((await winnow(['prove', at('run'), '--out', at('proof')])).stderr).toContain('is not empty');
});

const said = z.object({
  answers: z.record(z.string(), z.string()),
  tokens: z.object({ ids: z.record(z.string(), z.array(z.int())), longest: z.int() }).nullable(),
});
const script = fileURLToPath(new URL('./peers/pipelines.py', import.meta.url));
const pipeline = (model: string, task: string, labels: readonly string[], pictures: readonly string[]) =>
  said.parse(JSON.parse(runPython(script, at(model), task, JSON.stringify(labels), ...pictures)));
const testPictures = () =>
  ['red', 'blue'].flatMap((name) =>
    readdirSync(at('pictures', 'test', name)).map((file) => at('pictures', 'test', name, file)),
  );

const modules = ['torch', 'transformers', 'PIL'];
const here = `beside ${modules.join(', ')}`;
if (!pythonHas(modules)) {
  describe.skip(`${here} (not in ${python()}; WINNOW_PEER_PYTHON names an interpreter)`, () => {
    test('pipelines', () => undefined);
  });
} else {
  describe(here, () => {
    test(
      'pipeline("image-classification") takes an export as it is, and answers with the names of the classes',
      async () => {
        await done('export', at('run'), '--format', 'hugging-face', '--out', at('for-pipeline'));
        const wide = at('wide.png');
        await sharp({ create: { width: 61, height: 40, channels: 3, background: '#d22814' } })
          .png()
          .toFile(wide);
        const { answers } = pipeline('for-pipeline', 'image-classification', [], [...testPictures(), wide]);
        for (const [path, label] of Object.entries(answers)) {
          expect([path, label]).toEqual([path, path === wide || path.includes('red') ? 'red' : 'blue']);
        }
      },
      MINUTES,
    );

    test.each<[string, () => Readonly<Record<string, string>>]>([
      ['words', () => ({ 'tokenizer.json': JSON.stringify(words.file) })],
      ['byte pairs', bytePairFiles],
    ])(
      'pipeline("zero-shot-image-classification") takes an export with a tokenizer of %s',
      async (name, filesOf) => {
        const source = `clip of ${name}`;
        mkdirSync(at(name));
        for (const [file, content] of Object.entries(filesOf())) writeFileSync(at(name, file), content);
        const tokenizer = await openTokenizer(at(name));
        await writeClip(source, tokenizer, filesOf());
        await done('export', at(source), '--format', 'hugging-face', '--out', at(`${source}, exported`));
        const labels = ['blue', 'red'];
        const { answers, tokens } = pipeline(
          `${source}, exported`,
          'zero-shot-image-classification',
          labels,
          testPictures(),
        );
        for (const label of labels) {
          expect(tokens?.ids[label]).toEqual([...tokenizer.encode(label, CONTEXT)]);
        }
        expect(tokens?.longest).toBe(CONTEXT);
        const { stdout } = await winnow([
          ...['evaluate', at(source), '--data', at('pictures'), '--engine', 'wasm', '--json'],
          ...['--zero-shot', '{}'],
        ]);
        const { top1 } = z
          .looseObject({ scores: z.looseObject({ top1: z.number() }) })
          .parse(JSON.parse(stdout)).scores;
        const right = Object.entries(answers).filter(([path, label]) => path.includes(`/${label}/`));
        expect((100 * right.length) / Object.keys(answers).length).toBeCloseTo(top1, 5);
      },
      MINUTES,
    );
  });
}
