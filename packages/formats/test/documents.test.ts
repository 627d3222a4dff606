import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  anyModel,
  disposeTree,
  entriesOf,
  initialize,
  visionTransformer,
  visionTransformerConfig,
  visionTransformerFamily,
} from '@winnow/core';
import type { VisionTransformerParams } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { exampleModule } from '@winnow/testkit';
import { type loadModel, exportHuggingFace } from '../src/index';
import { dualEncoders, one, randomValues } from './random-model';

const folder = mkdtempSync(join(tmpdir(), 'winnow-documents-'));
const here = process.cwd();
beforeAll(async () => {
  await startEngine('wasm');
  const config = visionTransformerConfig('nano', { imageSize: 16, patchSize: 8, classes: 3 });
  const model = visionTransformer(config);
  const params = initialize<VisionTransformerParams>(model.specs, 1);
  await exportHuggingFace(join(folder, 'deit-tiny'), { model, params });
  const clip = anyModel(one(dualEncoders), randomValues(one(dualEncoders), 1));
  await exportHuggingFace(join(folder, 'clip-vit-large-patch14'), clip);
  disposeTree([params, clip.params]);
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(here);
  rmSync(folder, { recursive: true });
});

it('the example of the README imports, cuts, saves, loads and exports', async () => {
  const file = exampleModule(
    new URL('../README.md', import.meta.url),
    new URL('./generated/', import.meta.url),
  );
  const { loaded, tokens } = (await import(file)) as {
    loaded: Awaited<ReturnType<typeof loadModel>>;
    tokens: number;
  };
  if (!visionTransformerFamily.holds(loaded)) throw new Error(loaded.kind);
  expect(loaded.model.config.tower.blocks[0]?.hiddenDim).toBe(2);
  const shapes = new Map(entriesOf(loaded.params).map(([path, { shape }]) => [path, shape]));
  expect(shapes.get('blocks.0.ffn.expand.weight')).toEqual([96, 2]);
  expect(loaded.origin).toEqual({ from: 'deit-tiny' });
  expect(tokens).toBe(one(dualEncoders).text.vocabulary);
  expect(readdirSync(join(folder, 'clip-again')).sort()).toEqual(['config.json', 'model.safetensors']);
});
