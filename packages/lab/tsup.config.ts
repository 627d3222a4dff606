import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'tsup';
import ts from 'typescript';

/** The sources of this package that decide the result of a run, in folders and files. */
const TRAINING = [
  'compression/compress-run.ts',
  'model-source/start.ts',
  'ticket/control.ts',
  'ticket/matrix.ts',
  'training',
];

/** SHA-256 of what they do, without comments: a run knows by it whether it goes on with the same code. */
function digestOfTraining(): string {
  const hash = createHash('sha256');
  const files = TRAINING.flatMap((entry) => {
    const path = join('src', entry);
    return statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
  });
  for (const file of files.sort()) {
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, removeComments: true },
    });
    hash.update(outputText);
  }
  return hash.digest('hex');
}

export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  clean: true,
  target: 'node20',
  onSuccess: () => {
    writeFileSync(join('dist', 'training.sha256'), `${digestOfTraining()}\n`);
    return Promise.resolve();
  },
});
