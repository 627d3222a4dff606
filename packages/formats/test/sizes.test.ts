import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type HostTensor,
  type TensorTree,
  anyModel,
  disposeTree,
  maskFrom,
  masked,
  modelOf,
  uploadTree,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { correspondences, toTheirs } from '../src/layouts/correspondence';
import { clipNaming } from '../src/layouts/hugging-face/dual-encoder';
import { visionTransformerNaming } from '../src/layouts/hugging-face/vision-transformer';
import {
  type ImportOptions,
  FormatError,
  exportHuggingFace,
  importModel,
  loadModel,
  saveModel,
  writeSafetensors,
} from '../src/index';
import { openClipNaming } from '../src/layouts/open-clip/dual-encoder';
import { timmNaming } from '../src/layouts/timm/vision-transformer';
import { dualEncoders, one, randomValues, visionTransformers } from './random-model';

const vision = { ...one(visionTransformers), distillation: 'none' } as const;
const clip = one(dualEncoders);
const blocks = vision.tower.blocks.length;
/** A number of layers that no machine has the memory for. */
const MANY = 1_000_000_000;

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-sizes-'));
});
afterEach(() => rm(folder, { recursive: true }));

type Tensors = Map<string, HostTensor>;
const theirs = (
  config: typeof vision | typeof clip,
  naming: Parameters<typeof correspondences>[1],
): Tensors => toTheirs(correspondences(modelOf(config), naming), randomValues(config, 1));
const single: HostTensor = { dtype: 'float32', shape: [1], values: Float32Array.of(1) };
const write = (tensors: Tensors) => writeSafetensors(join(folder, 'model.safetensors'), tensors);

async function changeJson(name: string, change: (json: Record<string, object>) => object): Promise<void> {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')))));
}

async function expectRefused(message: RegExp, options: ImportOptions = {}): Promise<void> {
  const failure = importModel(folder, options);
  await expect(failure).rejects.toThrow(FormatError);
  await expect(failure).rejects.toThrow(message);
}

describe('layers are those that have tensors', () => {
  const exported = async (config: typeof vision | typeof clip) => {
    const { model, params } = anyModel(config, randomValues(config, 1));
    await exportHuggingFace(folder, { model, params });
    disposeTree(params);
  };

  it('where config.json of a ViT speaks of others', async () => {
    await exported(vision);
    await changeJson('config.json', (json) => ({ ...json, num_hidden_layers: MANY }));
    await expectRefused(
      new RegExp(
        `tensors of ${MANY} layers \\(vit\\.encoder\\.layer\\.…\\), as num_hidden_layers in .* of ${blocks}$`,
      ),
    );
  });

  it.each(['text', 'vision'])('where config.json of a CLIP speaks of others: %s', async (tower) => {
    await exported(clip);
    await changeJson('config.json', (json) => ({
      ...json,
      [`${tower}_config`]: { ...json[`${tower}_config`], num_hidden_layers: MANY },
    }));
    await expectRefused(new RegExp(`tensors of ${MANY} layers .*num_hidden_layers of the ${tower} tower in`));
  });

  it.each<[string, Tensors, string]>([
    ['timm', theirs(vision, timmNaming), 'blocks'],
    [
      'open_clip',
      theirs(clip, openClipNaming({ textProjection: 'parameter', logitScale: 'scalar' })),
      'visual.transformer.resblocks',
    ],
    ['transformers', theirs(clip, clipNaming), 'vision_model.encoder.layers'],
  ])('where a name counts further: %s', async (_layout, tensors, prefix) => {
    const last = [...tensors.keys()].filter((name) => name.startsWith(`${prefix}.`)).length;
    expect(last).toBeGreaterThan(0);
    await write(new Map([...tensors, [`${prefix}.${MANY - 1}.x`, single]]));
    if (prefix.startsWith('vision_model')) {
      const text = { model_type: 'clip', text_config: { num_hidden_layers: clip.text.tower.blocks.length } };
      await writeFile(join(folder, 'config.json'), JSON.stringify(text));
    }
    await expectRefused(
      new RegExp(`expected a layer ${prefix}\\.\\d+ before ${prefix}\\.${MANY - 1}, got none`),
      { heads: 1, activation: 'gelu' },
    );
  });

  it('where there are many of them with next to nothing in each', async () => {
    const tensors = theirs(vision, timmNaming);
    for (let layer = blocks; layer < 5000; layer++) tensors.set(`blocks.${layer}.x`, single);
    await write(tensors);
    await expectRefused(/expected the tensors of 5000 layers \(blocks\.…\), 6 or more each, got \d+ in all/, {
      heads: vision.tower.heads,
    });
  });
});

it('a width that a configuration states is compared with the tensors before a fresh classifier is made for it', async () => {
  await write(
    theirs(vision, visionTransformerNaming({ prefix: 'vit.', style: 'encoder.layer', distillation: 'none' })),
  );
  const json = {
    ...{ model_type: 'vit', hidden_size: MANY, num_attention_heads: 1, num_hidden_layers: blocks },
    ...{ image_size: vision.imageSize, patch_size: vision.patchSize, num_channels: vision.channels },
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(json));
  await expectRefused(/the tensors do not fit the configuration:\n(.*\n){20} {2}and \d+ more$/, {
    newHead: { classes: 1000, seed: 1 },
  });
});

it('an index that names many files lists a few of them', async () => {
  const names = Array.from({ length: 20_000 }, (_, i) => [`t${i}`, `model-${i}.safetensors`]);
  const index = { weight_map: Object.fromEntries(names) };
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  await expectRefused(/expected 20000 files of weights, got 0; missing:\n(.*\n){20} {2}and 19980 more\ncopy/);
});

describe('a structure file', () => {
  /** Saves the model with nothing left of its matrices but one weight of each. */
  async function saveSparse(): Promise<void> {
    const { model, params } = anyModel(vision, randomValues(vision, 1));
    disposeTree(params);
    const shape = [vision.tower.embedDim, vision.tower.blocks[0]?.hiddenDim ?? 0];
    const path = 'blocks.0.ffn.expand.weight';
    const kept = Array.from({ length: (shape[0] ?? 0) * (shape[1] ?? 0) }, (_, i) => (i === 0 ? 1 : 0));
    const values = randomValues(vision, 1);
    const matrix = Float32Array.from(kept);
    values.set(path, { dtype: 'float32', shape, values: matrix });
    const whole = uploadTree<TensorTree>(model.specs, values);
    const sparse = masked<TensorTree, unknown>(model, { [path]: maskFrom(kept, shape) });
    await saveModel(folder, { model: sparse, params: whole });
    disposeTree(whole);
  }

  const expectNotLoaded = async (message: RegExp) => {
    const failure = loadModel(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(message);
  };

  it('is refused with more blocks than the weights have tensors for', async () => {
    const { model, params } = anyModel(vision, randomValues(vision, 1));
    await saveModel(folder, { model, params });
    disposeTree(params);
    const many = new Array(100_000).fill(vision.tower.blocks[0]);
    await changeJson('structure.json', (json) => ({
      ...json,
      model: { ...vision, tower: { ...vision.tower, blocks: many } },
    }));
    await expectNotLoaded(
      /model\.safetensors: expected the tensors of 100000 blocks, as .*structure\.json says/,
    );
  });

  it('is refused with masked matrices of another size than its whole tensors have', async () => {
    await saveSparse();
    const [first, ...rest] = vision.tower.blocks;
    const wide = { ...vision.tower, blocks: [{ ...first, hiddenDim: MANY }, ...rest] };
    await changeJson('structure.json', (json) => ({
      ...json,
      model: { kind: 'masked', model: { ...vision, tower: wide } },
    }));
    await expectNotLoaded(/blocks\.0\.ffn\.expand\.bias: expected \[1000000000\]/);
  });

  it('is refused with masked matrices that its weights cannot fill', async () => {
    await saveSparse();
    // A vocabulary is in no other tensor: only the size of the file bounds it.
    const path = 'text.tokenEmbedding';
    const { tensors, text } = await sparseEmbedding(path);
    await write(tensors);
    const bytes = await readFile(join(folder, 'model.safetensors'));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeFile(
      join(folder, 'structure.json'),
      JSON.stringify({
        version: 1,
        weights: { sha256, bytes: bytes.byteLength },
        model: { kind: 'masked', model: { ...clip, text } },
      }),
    );
    await expectNotLoaded(
      /expected masked matrices of a size that \d+ bytes can fill, got \d+ bytes of them/,
    );
  });

  /** A dual encoder whose embedding is stored as one weight of very many. */
  async function sparseEmbedding(path: string) {
    const tensors = new Map(randomValues(clip, 1));
    tensors.delete(path);
    tensors.set(`${path}.values`, single);
    tensors.set(`${path}.indices`, { dtype: 'int32', shape: [1], values: Int32Array.of(0) });
    return { tensors, text: { ...clip.text, vocabulary: MANY } };
  }

  it('is refused where columns are shared as no model has them', async () => {
    const { model, params } = anyModel(clip, randomValues(clip, 1));
    await saveModel(folder, { model, params });
    disposeTree(params);
    const ties = {
      'text.blocks.0.ffn': { kind: 'share', units: 1, columns: { hidden: 'kkkkkkkkkkkkkkkkk' } },
    };
    await changeJson('structure.json', (json) => ({ ...json, model: { ...clip, ties } }));
    await expectNotLoaded(
      /structure\.json: at model: expected 1 letters k, b or p .* text\.blocks\.0\.ffn, got 17/,
    );
    const circle = (units: number, lender: string) => ({
      ...{ kind: 'share', units, lender },
      columns: { hidden: 'k'.repeat(units) },
    });
    const [block] = clip.text.tower.blocks;
    if (block === undefined) throw new Error('expected a text tower of at least one block');
    const text = { ...clip.text, tower: { ...clip.text.tower, blocks: [block, block] } };
    const round = {
      'text.blocks.0.ffn': circle(block.hiddenDim, 'text.blocks.1.ffn'),
      'text.blocks.1.ffn': circle(block.hiddenDim, 'text.blocks.0.ffn'),
    };
    await changeJson('structure.json', (json) => ({ ...json, model: { ...clip, text, ties: round } }));
    await expectNotLoaded(/structure\.json: at model: .* borrows from itself/);
  });
});
