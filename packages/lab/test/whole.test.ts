import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine } from '@winnow/engine';
import { inTemporaryFolder, tinyModel } from '@winnow/testkit';
import { saveTrained } from '../src/model-source/save-trained';
import { writeWhole } from '../src/model-source/write-whole';

/** Fills a folder with two files. */
const twoFiles = (folder: string) => {
  writeFileSync(join(folder, 'structure.json'), 'new');
  writeFileSync(join(folder, 'tokenizer.json'), 'new');
  return Promise.resolve();
};

test('a folder appears once everything is in it, and nothing else is left', () =>
  inTemporaryFolder(async (root) => {
    const out = join(root, 'model');
    await writeWhole(out, async (folder) => {
      await twoFiles(folder);
      expect(existsSync(out)).toBe(false);
    });
    expect(readdirSync(out).sort()).toEqual(['structure.json', 'tokenizer.json']);
    expect(readdirSync(root)).toEqual(['model']);
  }));

test('what a killed process left is made anew', () =>
  inTemporaryFolder(async (root) => {
    const out = join(root, 'model');
    mkdirSync(join(root, 'model.unfinished', 'half'), { recursive: true });
    writeFileSync(join(root, 'model.unfinished', 'structure.json'), 'ol');
    await writeWhole(out, twoFiles);
    expect(readdirSync(out).sort()).toEqual(['structure.json', 'tokenizer.json']);
    expect(readFileSync(join(out, 'structure.json'), 'utf8')).toBe('new');
  }));

test('an error leaves neither the folder nor what was written', () =>
  inTemporaryFolder(async (root) => {
    const failing = writeWhole(join(root, 'model'), async (folder) => {
      await twoFiles(folder);
      throw new Error('the disk is full');
    });
    await expect(failing).rejects.toThrow('the disk is full');
    expect(readdirSync(root)).toEqual([]);
  }));

test('other files in the folder stay', () =>
  inTemporaryFolder(async (root) => {
    const out = join(root, 'model');
    mkdirSync(out);
    writeFileSync(join(out, 'README'), 'mine');
    await writeWhole(out, twoFiles);
    expect(readdirSync(out).sort()).toEqual(['README', 'structure.json', 'tokenizer.json']);
    expect(readdirSync(root)).toEqual(['model']);
  }));

test('two processes do not fill the same folder', () =>
  inTemporaryFolder(async (root) => {
    const out = join(root, 'model');
    await writeWhole(out, async () => {
      await expect(writeWhole(out, twoFiles)).rejects.toThrow(/another process is writing .*model: wait/);
    });
  }));

test('a trained model opens only once its companions are there', () =>
  inTemporaryFolder(async (root) => {
    // A folder where a file should go: the save ends there, as a kill would end it.
    const folder = join(root, 'model');
    mkdirSync(join(folder, 'preprocessor_config.json'), { recursive: true });
    await startEngine('wasm');
    const { model, params } = tinyModel();
    const saving = saveTrained(
      folder,
      { companions: { 'preprocessor_config.json': '{}' } },
      { model, params },
    );
    await expect(saving).rejects.toThrow();
    expect(existsSync(join(folder, 'structure.json'))).toBe(false);
  }));
