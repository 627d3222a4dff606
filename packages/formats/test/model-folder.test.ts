import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Rank, tensor2d, tidy, zeros } from '@tensorflow/tfjs-core';
import {
  type Decision,
  type DualEncoderParams,
  type VisionTransformerParams,
  compact,
  disposeTree,
  dualEncoder,
  dualEncoderFamily,
  initialize,
  lendRunning,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { jest } from '@jest/globals';
import { asVisionTransformer, logitsOf, smallVisionTransformer } from './small-vision-transformer';

const disk = await import('node:fs/promises');
/** A file that the disk refuses to put in its place. */
let refused: string | undefined;
jest.unstable_mockModule('node:fs/promises', () => ({
  ...disk,
  rename: async (from: string, to: string) => {
    if (refused !== undefined && to.endsWith(refused))
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    await disk.rename(from, to);
  },
}));
const { FormatError, exportHuggingFace, loadModel, readSafetensors, saveModel } =
  await import('../src/index');

const model = smallVisionTransformer;
const decision: Decision = {
  version: 1,
  sites: {
    'blocks.0.attention': { kind: 'keep', kept: [0, 3], units: 4 },
    'blocks.2.ffn': { kind: 'keep', kept: [5, 6, 19], units: 20 },
  },
};

let folder: string;
let params: VisionTransformerParams;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'winnow-')), 'model');
  params = initialize(model.specs, 1);
});
afterEach(async () => {
  refused = undefined;
  disposeTree(params);
  await rm(join(folder, '..'), { recursive: true });
});

const loadVision = async (from: string) => asVisionTransformer(await loadModel(from));

describe('a model folder', () => {
  it('gives the same logits after saving and loading, bit for bit', async () => {
    await saveModel(folder, { model, params });
    const loaded = await loadVision(folder);
    expect(loaded.model.config).toEqual(model.config);
    expect(logitsOf(loaded.model, loaded.params)).toEqual(logitsOf(model, params));
    expect(Object.keys(loaded)).toEqual(['kind', 'model', 'params', 'classNames']);
    expect((await readdir(folder)).sort()).toEqual(['model.safetensors', 'structure.json']);
    disposeTree(loaded.params);
  });

  it('does so for a compacted model, with its decision and origin', async () => {
    const small = compact(model, params, decision);
    const origin = { method: 'upop', seeds: [1, 2], from: null };
    await saveModel(folder, { ...small, decision, origin });
    const loaded = await loadVision(folder);
    expect(loaded.model.config).toEqual(small.model.config);
    expect(logitsOf(loaded.model, loaded.params)).toEqual(logitsOf(small.model, small.params));
    expect(loaded.decision).toEqual(decision);
    expect(loaded.origin).toEqual(origin);
    disposeTree([small.params, loaded.params]);
  });

  it('stores a column that is shared once, and gives it back in every place', async () => {
    const tower = { ...model.config.tower, blocks: model.config.tower.blocks.slice(0, 1) };
    const { imageSize, patchSize, channels, embeddingNorm, patchBias } = model.config;
    const twin = dualEncoder({
      kind: 'dual-encoder',
      projectionDim: 4,
      vision: { imageSize, patchSize, channels, distillation: 'none', embeddingNorm, patchBias, tower },
      text: { vocabulary: 5, context: 3, endToken: 4, tower: { ...tower, causal: true } },
    });
    const shared: Decision = {
      version: 1,
      sites: {
        'vision.blocks.0.ffn': {
          kind: 'share',
          units: 20,
          lender: 'text.blocks.0.ffn',
          columns: { hidden: `${'b'.repeat(12)}${'k'.repeat(3)}${'p'.repeat(5)}` },
        },
        'vision.blocks.0.attention': {
          kind: 'share',
          units: 4,
          columns: { query: 'kkppkppppppk', key: 'kkppkppppppk', value: 'k'.repeat(12) },
        },
      },
    };
    const dense = initialize<DualEncoderParams>(twin.specs, 1);
    const small = compact(twin, dense, shared);
    await saveModel(folder, { ...small, decision: shared });
    const loaded = await loadModel(folder);
    if (!dualEncoderFamily.holds(loaded)) throw new Error(`expected a dual encoder, got ${loaded.kind}`);
    expect(loaded.model.config).toEqual(small.model.config);
    expect(loaded.decision).toEqual(shared);
    const inputs = { images: zeros<Rank.R4>([1, 8, 8, 3]), tokens: tensor2d([[1, 2, 4]], [1, 3], 'int32') };
    const logits = ({ model, params }: Pick<typeof small, 'model' | 'params'>) =>
      tidy(() => [...model.forward(params, inputs).logits.dataSync()]);
    expect(logits(loaded)).toEqual(logits(small));
    await lendRunning(small.model, small.params, (model, params) => {
      expect(model.config).not.toHaveProperty('ties');
      expect(logits({ model, params })).toEqual(logits(small));
      return Promise.resolve();
    });
    const stored = await readSafetensors(join(folder, 'model.safetensors'));
    const values = [...stored.tensors.values()].reduce((sum, { values }) => sum + values.length, 0);
    expect(values).toBe(small.model.account.parameters);
    await expect(exportHuggingFace(join(folder, 'theirs'), small)).rejects.toThrow(/columns are shared/);
    disposeTree([dense, small.params, loaded.params, inputs.images, inputs.tokens]);
  });

  it('refuses to save parameters of another model, and writes nothing', async () => {
    await expect(saveModel(folder, { model: model.shrink(decision), params })).rejects.toThrow(
      /blocks\.0\.attention\.query\.weight: expected \[12, 6\], got \[12, 12\]/,
    );
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  it('says where a file stands in the way of the folder', async () => {
    await writeFile(folder, 'a file');
    await expect(saveModel(folder, { model, params })).rejects.toThrow(FormatError);
  });

  describe('that another is saved over', () => {
    const old = (name: string) => join(folder, '..', name);
    let next: VisionTransformerParams;
    let oldLogits: number[];
    let nextLogits: number[];

    beforeEach(async () => {
      next = initialize(model.specs, 2);
      oldLogits = logitsOf(model, params);
      nextLogits = logitsOf(model, next);
      await saveModel(folder, { model, params });
      await copyFile(join(folder, 'model.safetensors'), old('old.safetensors'));
      await copyFile(join(folder, 'structure.json'), old('old.json'));
      await saveModel(folder, { model, params: next });
    });
    afterEach(() => disposeTree(next));

    const loadedLogits = async () => {
      const loaded = await loadVision(folder);
      const logits = logitsOf(loaded.model, loaded.params);
      disposeTree(loaded.params);
      return logits;
    };
    /** A crash after the first file: new weights waiting, everything else old. */
    const crashBeforeStructure = async () => {
      await copyFile(join(folder, 'model.safetensors'), join(folder, 'model.next.safetensors'));
      await copyFile(old('old.safetensors'), join(folder, 'model.safetensors'));
      await copyFile(old('old.json'), join(folder, 'structure.json'));
    };
    /** A crash after the second file: the structure file is new, its weights still wait. */
    const crashAfterStructure = async () => {
      await copyFile(join(folder, 'model.safetensors'), join(folder, 'model.next.safetensors'));
      await copyFile(old('old.safetensors'), join(folder, 'model.safetensors'));
    };

    it('is the new one', async () => {
      expect(await loadedLogits()).toEqual(nextLogits);
    });

    it('is the old one after a crash before the structure file', async () => {
      await crashBeforeStructure();
      expect(await loadedLogits()).toEqual(oldLogits);
    });

    it('is the new one after a crash after the structure file', async () => {
      await crashAfterStructure();
      expect(await loadedLogits()).toEqual(nextLogits);
    });

    it.each([
      ['whole', () => Promise.resolve()],
      ['after a crash before the structure file', crashBeforeStructure],
      ['after a crash after the structure file', crashAfterStructure],
    ])('stays what it was, with nothing beside, when a save fails: %s', async (_, state) => {
      await state();
      const before = await loadedLogits();
      for (refused of ['model.next.safetensors', 'structure.json']) {
        await expect(saveModel(folder, { model, params })).rejects.toThrow(/the disk is full/);
        expect(await loadedLogits()).toEqual(before);
      }
      expect((await readdir(folder)).sort()).toEqual(['model.safetensors', 'structure.json']);
      refused = undefined;
      await saveModel(folder, { model, params });
      expect(await loadedLogits()).toEqual(oldLogits);
    });

    it('is refused when the weights are of another save', async () => {
      await copyFile(old('old.json'), join(folder, 'structure.json'));
      await expect(loadModel(folder)).rejects.toThrow(FormatError);
      await expect(loadModel(folder)).rejects.toThrow(/expected the weights that structure\.json names/);
    });
  });
});
