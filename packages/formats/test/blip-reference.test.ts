import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  reshape,
  tensor,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import {
  type BeamOptions,
  type Blip,
  type BlipParams,
  type HostTensor,
  type HostTensors,
  blip,
  blipFamily,
  disposeTree,
  downloadTree,
  initialize,
  textStackConfig,
  visionTowerConfig,
  writeTexts,
} from '@winnow/core';
import { exportHuggingFace, importModel, readSafetensors, writeSafetensors } from '../src/index';
import { onEveryEngine } from './engines';

/** Models that `reference/make-blip.py` made, with what transformers computes and writes. */
const folderOf = (name: string): string =>
  fileURLToPath(new URL(`./reference/blip-${name}`, import.meta.url));
const [START, END] = [28, 2];

const present = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Error('expected a value');
  return value;
};
const upload = ({ values, shape, dtype }: HostTensor): Tensor => tensor(values, [...shape], dtype);
const matrix = (found: HostTensor | undefined): Tensor2D => upload(present(found)) as Tensor2D;
const picturesIn = (inputs: HostTensors): Tensor4D =>
  transpose<Tensor4D>(upload(present(inputs.get('pixel_values'))) as Tensor4D, [0, 2, 3, 1]);

function expectClose(found: Tensor | undefined, expected: HostTensor | undefined): void {
  const values = [...present(found).dataSync()];
  const others = [...present(expected).values];
  expect(values).toHaveLength(others.length);
  const far = values.reduce((most, value, i) => {
    const distance = Math.abs(value - (others[i] ?? NaN));
    return distance <= most ? most : distance;
  }, 0);
  expect(far).toBeLessThan(1e-4);
}

async function read(name: string) {
  const tensorsIn = async (file: string) =>
    (await readSafetensors(join(folderOf(name), `${file}.safetensors`))).tensors;
  const imported = await importModel(folderOf(name));
  if (!blipFamily.holds(imported)) throw new Error(`expected a BLIP, got a ${imported.kind}`);
  const { model, params }: { model: Blip; params: BlipParams } = imported;
  return { model, params, inputs: await tensorsIn('inputs'), expected: await tensorsIn('expected') };
}

/** Texts of transformers, up to their ends. */
const rowsOf = ({ values, shape: [rows = 0, length = 0] }: HostTensor): number[][] =>
  Array.from({ length: rows }, (_, row) => {
    const own = [...values.slice(row * length, (row + 1) * length)];
    const end = own.indexOf(END);
    return end === -1 ? own : own.slice(0, end + 1);
  });

onEveryEngine('BLIPs as transformers computes them', () => {
  it('captions: the same logits, and the same texts by greedy and beam search', async () => {
    const { model, params, inputs, expected } = await read('captions');
    expect(model.config.purpose).toBe('captions');
    tidy(() => {
      const tokens = matrix(inputs.get('input_ids'));
      const { logits } = model.forward(params, { images: picturesIn(inputs), tokens });
      expectClose(logits, expected.get('logits'));
    });
    const seen = tidy(() => model.passes.see(params, picturesIn(inputs)).states.clone());
    for (const beams of [1, 3]) {
      for (const shortest of [0, 6]) {
        const options: BeamOptions = { beams, longest: 10, shortest, end: END, length: 'written' };
        const memory = { states: seen, tokens: 5 };
        const found = await writeTexts(model.passes, params, memory, { ...options, begin: [START, 5] });
        expect(found.map(({ written }) => written[0]?.tokens)).toEqual(
          rowsOf(present(expected.get(`written.${beams}.${shortest}`))),
        );
      }
    }
    seen.dispose();
    disposeTree(params);
  });

  it('questions: the same logits, and the same answers', async () => {
    const { model, params, inputs, expected } = await read('questions');
    expect(model.config.purpose).toBe('questions');
    const memory = tidy(() => {
      const images = picturesIn(inputs);
      const answers = matrix(inputs.get('decoder_input_ids'));
      const found = model.forward(params, { images, tokens: matrix(inputs.get('input_ids')), answers });
      expectClose(found['logits'], expected.get('logits'));
      const asked = model.passes.ask(
        params,
        matrix(inputs.get('input_ids')),
        model.passes.see(params, images),
      );
      return asked.states.clone();
    });
    const options: BeamOptions = { beams: 3, longest: 8, end: END, length: 'written' };
    const found = await writeTexts(
      model.passes,
      params,
      { states: memory, tokens: 6 },
      { ...options, begin: [START] },
    );
    expect(found.map(({ written }) => written[0]?.tokens)).toEqual(rowsOf(present(expected.get('written'))));
    memory.dispose();
    disposeTree(params);
  });

  it('retrieval: the same similarities and the same matches', async () => {
    const { model, params, inputs, expected } = await read('retrieval');
    expect(model.config.purpose).toBe('retrieval');
    tidy(() => {
      const tokens = matrix(inputs.get('input_ids'));
      const found = model.forward(params, { images: picturesIn(inputs), tokens });
      expectClose(found['logits'], expected.get('similarities'));
      expectClose(found['matches'], expected.get('matches'));
      expect(reshape(present(found['matches']), [-1]).size).toBe(6);
    });
    disposeTree(params);
  });
});

describe('BLIPs on their way out', () => {
  const withFolder = async (use: (folder: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'winnow-blip-'));
    try {
      await use(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  };

  it.each(['captions', 'questions', 'retrieval'])(
    '%s: the tensors that came in, and a configuration that says the same',
    async (name) => {
      await withFolder(async (folder) => {
        const { model, params } = await read(name);
        await exportHuggingFace(folder, { model, params });
        const [before, after] = await Promise.all(
          [folderOf(name), folder].map(
            async (from) => (await readSafetensors(join(from, 'model.safetensors'))).tensors,
          ),
        );
        expect([...present(after).keys()].sort()).toEqual([...present(before).keys()].sort());
        for (const [key, value] of present(before)) expect(present(after).get(key)).toEqual(value);
        const again = await importModel(folder);
        expect(again.model.config).toEqual(model.config);
        const [own, other] = [await downloadTree(params), await downloadTree(again.params)];
        expect(other).toEqual(own);
        const written: unknown = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
        expect(written).toMatchObject({ model_type: 'blip', text_config: { is_decoder: true } });
        disposeTree(params);
        disposeTree(again.params);
      });
    },
  );

  it('a checkpoint that stores one tensor under two names is read once', async () => {
    await withFolder(async (folder) => {
      const { tensors } = await readSafetensors(join(folderOf('captions'), 'model.safetensors'));
      const [words, bias] = ['bert.embeddings.word_embeddings.weight', 'cls.predictions.bias'].map((name) =>
        present(tensors.get(`text_decoder.${name}`)),
      );
      const twice = new Map([
        ...tensors,
        ['text_decoder.cls.predictions.decoder.weight', present(words)] as const,
        ['text_decoder.cls.predictions.decoder.bias', present(bias)] as const,
      ]);
      await writeSafetensors(join(folder, 'model.safetensors'), twice);
      await copyFile(join(folderOf('captions'), 'config.json'), join(folder, 'config.json'));
      const { leftOut, params } = await importModel(folder);
      expect(leftOut).toEqual([
        'text_decoder.cls.predictions.decoder.weight: it is the matrix of the words',
        'text_decoder.cls.predictions.decoder.bias: it is text_decoder.cls.predictions.bias',
      ]);
      disposeTree(params);
    });
  });

  it('refuses what transformers has no words for', async () => {
    const { model, params } = await read('retrieval');
    const { encoder } = model.config;
    if (encoder === undefined) throw new Error('expected an encoder');
    const refused = (config: Partial<typeof model.config>) =>
      withFolder(async (folder) => {
        const changed = blip({ ...model.config, ...config });
        await exportHuggingFace(join(folder, 'out'), { model: changed, params });
      });
    await expect(refused({ tokens: { start: START, end: END, ground: 29 } })).rejects.toThrow(
      'expected texts that keep their first token',
    );
    await expect(refused({ embeddings: { projectionDim: 6, temperature: 'learned' } })).rejects.toThrow(
      'transformers has no temperature',
    );
    await expect(refused({ encoder: { ...encoder, norm: 'before' } })).rejects.toThrow(
      'norms behind the layers',
    );
    const [first, ...rest] = encoder.blocks;
    if (first === undefined) throw new Error('expected a block');
    const cut = { ...first, cross: [{ headDim: 3 }] };
    await expect(refused({ encoder: { ...encoder, blocks: [cut, ...rest] } })).rejects.toThrow(
      'heads of one size',
    );
    const statements = blip({
      kind: 'blip',
      purpose: 'statements',
      vision: visionTowerConfig('nano', { imageSize: 16, patchSize: 8 }),
      tokens: { start: 0, end: 1 },
      encoder: textStackConfig('nano', { vocabulary: 4, context: 4, memories: 2 }),
    });
    const fresh = initialize<BlipParams>(statements.specs, 1);
    await expect(
      withFolder((folder) => exportHuggingFace(join(folder, 'out'), { model: statements, params: fresh })),
    ).rejects.toThrow('transformers has none for two pictures');
    disposeTree(fresh);
    disposeTree(params);
  });
});
