import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DenseConfig, type TensorTree, disposeTree, modelOf, uploadTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { saveModel } from '@winnow/formats';
import { type Answers, modelParts } from '@winnow/onnx';
import { python, pythonHas, runPython } from '@winnow/testkit';
import { z } from 'zod';
import { exportModel, openModel } from '../src/index';
import { distance } from '../src/proof/check-answers';
import { engineAnswers, fixedExamples } from '../src/proof/engine-answers';
import { cutModels, cutTaskModels, mergingModels, randomParameters } from './cut-models';

const root = mkdtempSync(join(tmpdir(), 'winnow-pytorch-'));
const script = fileURLToPath(new URL('peers/plain-pytorch.py', import.meta.url));
const programScript = fileURLToPath(new URL('peers/program-pytorch.py', import.meta.url));
const MINUTES = 180_000;

beforeAll(async () => {
  await startEngine('wasm');
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** Exports a model for PyTorch; the folder. */
async function exported(name: string): Promise<string> {
  const config: DenseConfig | undefined = cutModels[name] ?? cutTaskModels[name] ?? mergingModels[name];
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

test('the program of other families is as short, and names torch alone', async () => {
  const text = readFileSync(join(await exported('a UNITER'), 'model.py'), 'utf8');
  expect(text.split('\n').length).toBeLessThan(150);
  expect([...text.matchAll(/^(?:import|from) (\w+)/gm)].map(([, name]) => name)).toEqual([
    ...['json', 'pathlib', 'struct', 'torch', 'torch', 'torch'],
  ]);
  expect(text).toContain('model(input_ids=…, visual_feats=…, visual_pos=…, visual_mask=…)   # -> logits');
});

/** Models that a program runs as operators. */
const programs = [
  ...['a segmenter with a mask decoder', 'a ViLT for statements', 'a UNITER whose columns are shared'],
  ...['a UNITER for statements', 'an LXMERT for expressions', 'an LXMERT for statements'],
  ...['an LXMERT', 'a GLIP with a pyramid', 'an MDETR for questions', 'a BLIP for questions'],
  ...['a ViT whose tokens merge', 'a CLIP whose tokens merge', 'a BLIP for statements whose tokens merge'],
];
const programAnswers = z.array(
  z.object({ answers: z.record(z.string(), z.array(z.number())), without: z.array(z.string()) }),
);

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

  test(
    'other families, and tokens that merge, say the same as operators of plain PyTorch, by which all parameters of a model can learn',
    async () => {
      const [questions, wanted]: [object[], { name: string; answers: Answers }[]] = [[], []];
      for (const name of programs) {
        const folder = await exported(name);
        const opened = await openModel(join(root, name));
        for (const part of modelParts(opened.model)) {
          const examples = fixedExamples(part);
          const inputs = Object.entries(examples.inputs).map(([input, { shape, values }]) => {
            const kind = values instanceof BigInt64Array ? 'int64' : 'float32';
            return [input, [kind, [examples.count, ...shape], Array.from(values, Number)]];
          });
          questions.push({ folder, part: part.name, inputs: Object.fromEntries(inputs) });
          wanted.push({ name, answers: await engineAnswers(opened, part, examples) });
        }
        disposeTree(opened.params);
      }
      const file = join(root, 'questions.json');
      writeFileSync(file, JSON.stringify(questions));
      const found = programAnswers.parse(JSON.parse(runPython(programScript, file)));
      expect(found).toHaveLength(wanted.length);
      for (const [at, { name, answers }] of wanted.entries()) {
        const { answers: own, without } = found[at] ?? { answers: {}, without: [] };
        for (const [output, values] of Object.entries(answers)) {
          const apart = distance(Float32Array.from(own[output] ?? own['only'] ?? []), values);
          expect([name, output, apart < 1e-4]).toEqual([name, output, true]);
        }
        if (name === 'an LXMERT') expect(without).toEqual([]);
      }
    },
    MINUTES,
  );
}
