import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import ts from 'typescript';
import { withExtensions } from './extensions.mjs';

const folder = mkdtempSync(join(tmpdir(), 'winnow-types-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const root = join(folder, 'package', 'src');

/** The declarations of the first of some files. */
function declarationsOf(files) {
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  });
  const options = {
    declaration: true,
    emitDeclarationOnly: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  };
  const program = ts.createProgram(paths, options);
  let written = '';
  program.emit(program.getSourceFile(paths[0]), (_, text) => (written = text), undefined, true, {
    afterDeclarations: [withExtensions(root)],
  });
  return written;
}

describe('declarations that a package ships', () => {
  it('name files with their endings, in imports, exports and types that nobody wrote', () => {
    const text = declarationsOf({
      'index.ts': `import type { Leaf } from './tree';\nimport { seedOf } from './seed';\nexport { Leaf };\nexport type { Branch } from './tree/branch';\nexport const seed = seedOf();\nexport const path = (of: typeof import('./seed')): import('node:fs').PathLike => String(of);\n`,
      'tree/index.ts': 'export interface Leaf { readonly size: number }\n',
      'tree/branch.ts': 'export interface Branch { readonly leaves: number }\n',
      'seed.ts': `export const seedOf = (): import('./tree').Leaf => ({ size: 1 });\n`,
    });
    const named = [...text.matchAll(/(?:from |import\()['"]([^'"]+)['"]/g)].map(([, name]) => name);
    assert.deepEqual(
      new Set(named),
      new Set(['./tree/index.js', './tree/branch.js', './seed.js', 'node:fs']),
      text,
    );
  });

  it('name no file of another package', () => {
    writeFileSync(join(folder, 'package', 'elsewhere.ts'), 'export interface Far { readonly away: true }\n');
    assert.throws(
      () => declarationsOf({ 'near.ts': `export type { Far } from '../elsewhere';\n` }),
      /outside of the package/,
    );
  });
});
