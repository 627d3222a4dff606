import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import ts from 'typescript';
import { installPacked } from './packed.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'winnow-library-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The program in the README's section on the library. */
const example = /## As a library\n[\s\S]*?```js\n([\s\S]*?)```/.exec(
  readFileSync(join(root, 'README.md'), 'utf8'),
)?.[1];

const SIDE = 16;

/** Red and blue pictures, which are soon told apart. */
async function makePictures() {
  const counts = { train: 8, validation: 4, test: 4 };
  for (const [split, count] of Object.entries(counts)) {
    for (const [name, background] of Object.entries({ red: '#d02030', blue: '#2030d0' })) {
      const into = join(folder, 'pictures', split, name);
      mkdirSync(into, { recursive: true });
      for (let index = 0; index < count; index++) {
        // Each another one: pictures of the same content are one picture.
        const dot = Buffer.from(`<svg width="16" height="16"><circle cx="${index + 2}" cy="8" r="2"/></svg>`);
        await sharp({ create: { width: SIDE, height: SIDE, channels: 3, background } })
          .composite([{ input: dot }])
          .png()
          .toFile(join(into, `${index}.png`));
      }
    }
  }
}

describe('the example of the README, on packed packages in an empty folder', () => {
  let ended;

  before(async () => {
    assert.ok(example, 'the README has an example under "As a library"');
    await installPacked(root, '@winnow/lab', folder);
    await makePictures();
    writeFileSync(join(folder, 'example.mjs'), example);
    writeFileSync(join(folder, 'example.mts'), example);
    ended = spawnSync(process.execPath, ['example.mjs'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') },
    });
  });

  it('runs to its end and says nothing but what it says itself', () => {
    assert.equal(ended.status, 0, ended.stderr);
    const lines = ended.stdout.trimEnd().split('\n');
    assert.equal(lines.length, 6, ended.stdout);
    assert.match(lines[0], /^1\.\d\d times smaller, top-1 \d+/);
    assert.match(lines[1], /^validation: top-1 \d+(\.\d+)?, \d+\.\d\d ms$/);
    assert.match(lines[2], /^exported in the layout of (our own|Hugging Face)$/);
    assert.deepEqual(
      new Set(lines.slice(3, 5).map((line) => line.split(' ')[0])),
      new Set(['magnitude', 'random']),
    );
    assert.equal(lines[5], join(folder, 'comparison', 'report.html'));
    assert.equal(ended.stderr, '');
  });

  it('leaves the models, and the results of the comparison', () => {
    const left = [
      ...['dense/model/model.safetensors', 'half/model/model.safetensors', 'half/model/structure.json'],
      ...['half.export/model.safetensors', 'comparison/report.html', 'comparison/results.json'],
    ];
    for (const name of left) assert.ok(existsSync(join(folder, name)), name);
  });

  it('is understood by TypeScript, by the types that the packages ship', () => {
    const program = ts.createProgram([join(folder, 'example.mts')], {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    });
    const found = ts.getPreEmitDiagnostics(program);
    assert.deepEqual(
      found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
      [],
    );
  });

  it('is of packages that ship what runs, and no sources', () => {
    for (const name of ['dist/index.js', 'types/index.d.ts', 'dist/training.sha256'])
      assert.ok(existsSync(join(folder, 'node_modules/@winnow/lab', name)), name);
    assert.ok(!existsSync(join(folder, 'node_modules/@winnow/lab/src')));
  });
});
