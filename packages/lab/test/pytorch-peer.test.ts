import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type TensorTree,
  type VisionTransformerConfig,
  disposeTree,
  modelOf,
  uploadTree,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { saveModel } from '@winnow/formats';
import { modelParts } from '@winnow/onnx';
import { python, pythonHas, runPython } from '@winnow/testkit';
import { z } from 'zod';
import { exportModel, openModel } from '../src/index';
import { distance } from '../src/proof/check-answers';
import { engineAnswers, fixedExamples } from '../src/proof/engine-answers';
import { cutModels, plain, randomParameters } from './cut-models';

const root = mkdtempSync(join(tmpdir(), 'winnow-pytorch-'));
const script = fileURLToPath(new URL('peers/plain-pytorch.py', import.meta.url));
const MINUTES = 180_000;

beforeAll(async () => {
  await startEngine('wasm');
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** Exports a model for PyTorch; the folder. */
async function exported(name: string): Promise<string> {
  const config = cutModels[name];
  if (config === undefined) throw new Error(name);
  const model = modelOf(config);
  const params = uploadTree<TensorTree>(model.specs, randomParameters(config));
  await saveModel(join(root, name), { model, params });
  disposeTree(params);
  const out = join(root, `${name}, exported`);
  await exportModel(join(root, name), { format: 'pytorch', out });
  return out;
}

test('the program is short, names torch alone, and stands beside the weights', async () => {
  const text = readFileSync(join(await exported('a cut ViT'), 'model.py'), 'utf8');
  expect(text.split('\n').length).toBeLessThan(150);
  const imported = [...text.matchAll(/^(?:import|from) (\w+)/gm)].map(([, name]) => name);
  expect([...new Set(imported)].sort()).toEqual(['json', 'pathlib', 'struct', 'torch']);
  rmSync(join(root, 'a cut ViT'), { recursive: true });
  rmSync(join(root, 'a cut ViT, exported'), { recursive: true });
});

test('tokens that merge on the way are refused', async () => {
  const config: VisionTransformerConfig = { ...plain, merging: { perBlock: 1 } };
  const model = modelOf(config);
  const params = uploadTree<TensorTree>(model.specs, randomParameters(config));
  await saveModel(join(root, 'merging'), { model, params });
  disposeTree(params);
  const out = join(root, 'refused');
  await expect(exportModel(join(root, 'merging'), { format: 'pytorch', out })).rejects.toThrow(
    'tokens that merge',
  );
});

if (!pythonHas(['torch'])) {
  describe.skip(`beside torch (not in ${python()}; WINNOW_PEER_PYTHON names an interpreter)`, () => {
    test('model.py', () => undefined);
  });
} else {
  test.each(Object.keys(cutModels))(
    '%s says the same in plain PyTorch as in the engine',
    async (name) => {
      const out = await exported(name);
      const opened = await openModel(join(root, name));
      const parts = modelParts(opened.model);
      const questions = parts.map((part) => {
        const { count, inputs } = fixedExamples(part);
        const [{ shape, values } = { shape: [], values: [] }] = Object.values(inputs);
        const asked =
          part.name === 'model' ? 'forward' : part.name === 'vision' ? 'embed_images' : 'embed_texts';
        return [asked, [count, ...shape], Array.from(values, Number)];
      });
      const file = join(root, `${name}.json`);
      writeFileSync(file, JSON.stringify(questions));
      const answers = z.array(z.array(z.number())).parse(JSON.parse(runPython(script, out, file)));
      for (const [at, part] of parts.entries()) {
        const [wanted] = Object.values(await engineAnswers(opened, part, fixedExamples(part)));
        expect(distance(Float32Array.from(answers[at] ?? []), wanted ?? new Float32Array())).toBeLessThan(
          1e-4,
        );
      }
      disposeTree(opened.params);
    },
    MINUTES,
  );
}
