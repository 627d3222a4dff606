import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inTemporaryFolder } from '@winnow/testkit';
import { codeIn, codeOfPackage, codeOfTraining } from '../src/identity/package-code';
import { methodPackages } from '../src/table';

const inPackage = (
  work: (folder: string, write: (file: string, text: string) => Promise<void>) => Promise<void>,
) =>
  inTemporaryFolder(async (folder) => {
    const write = (file: string, text: string) => writeFile(join(folder, file), text);
    await mkdir(join(folder, 'dist', 'deep'), { recursive: true });
    await write(
      'package.json',
      JSON.stringify({ name: 'a-method', version: '1.2.3', files: ['dist'], dependencies: { zod: '4.6.7' } }),
    );
    await write('dist/index.js', 'export const sign = 1;');
    await write('dist/deep/rank.js', 'export const rank = 1;');
    await work(folder, write);
  });

test('is another when a built file is, wherever it lies in the package', () =>
  inPackage(async (folder, write) => {
    const before = await codeIn(folder);
    expect(before).toMatch(/^1\.2\.3 [0-9a-f]{16}$/);
    await write('dist/index.js', 'export const sign = -1;');
    const flipped = await codeIn(folder);
    await write('dist/deep/rank.js', 'export const rank = -1;');
    expect(new Set([before, flipped, await codeIn(folder)]).size).toBe(3);
  }));

test('is another when the version is, its own or that of something it depends on', () =>
  inPackage(async (folder, write) => {
    const before = await codeIn(folder);
    const manifest = { name: 'a-method', version: '1.2.3', files: ['dist'] };
    await write('package.json', JSON.stringify({ ...manifest, dependencies: { zod: '4.6.8' } }));
    expect(await codeIn(folder)).not.toBe(before);
    await write(
      'package.json',
      JSON.stringify({ ...manifest, version: '1.2.4', dependencies: { zod: '4.6.7' } }),
    );
    expect(await codeIn(folder)).toMatch(/^1\.2\.4 /);
  }));

test('is the same with other types, source maps, documents and tests, and in another folder', () =>
  inPackage(async (folder, write) => {
    const before = await codeIn(folder);
    await write('dist/index.d.ts', 'export declare const sign: number;');
    await write('dist/index.js.map', '{}');
    await write('README.md', 'A method.');
    await mkdir(join(folder, 'test'));
    await write('test/index.test.ts', 'it works');
    expect(await codeIn(folder)).toBe(before);
    await inTemporaryFolder(async (other) => {
      await cp(folder, other, { recursive: true });
      expect(await codeIn(other)).toBe(before);
    });
  }));

test('of a package that has not been built there is none', () =>
  inPackage(async (folder, write) => {
    await write('package.json', JSON.stringify({ name: 'a-method', version: '1.2.3', files: ['lib'] }));
    await expect(codeIn(folder)).rejects.toThrow(/a-method .* has no built files/);
  }));

test('is there of every package with methods, and of what this command line trains with', async () => {
  const found = await Promise.all(methodPackages.map(({ name }) => codeOfPackage(name)));
  for (const code of [...found, await codeOfTraining()]) expect(code).toMatch(/^\d+\.\d+\.\d+ [0-9a-f]{16}$/);
  expect(new Set(found).size).toBe(methodPackages.length);
});
