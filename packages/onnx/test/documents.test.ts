import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exampleModule } from '@winnow/testkit';
import { InferenceSession } from 'onnxruntime-node';

const folder = mkdtempSync(join(tmpdir(), 'winnow-documents-'));
const here = process.cwd();
beforeAll(() => {
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(here);
  rmSync(folder, { recursive: true });
});

test('the example of the README writes a file', async () => {
  const file = exampleModule(
    new URL('../README.md', import.meta.url),
    new URL('./generated/', import.meta.url),
  );
  await import(file);
  const session = await InferenceSession.create('model.onnx');
  expect([session.inputNames, session.outputNames]).toEqual([['pixel_values'], ['logits']]);
});
