import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'winnow-without-duckdb-'));
afterAll(() => rmSync(folder, { recursive: true }));

const failingWith = (code: string) => {
  jest.resetModules();
  jest.unstable_mockModule('@duckdb/node-api', () => {
    throw Object.assign(new Error('no such package'), { code });
  });
  return import('../src/results/database');
};

test('an installation without DuckDB writes no database, and says so', async () => {
  const { writeDatabase } = await failingWith('ERR_MODULE_NOT_FOUND');
  expect(await writeDatabase(join(folder, 'results.duckdb'), [])).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

test('a DuckDB that is there and does not load is a fault', async () => {
  const { writeDatabase } = await failingWith('ERR_DLOPEN_FAILED');
  await expect(writeDatabase(join(folder, 'results.duckdb'), [])).rejects.toThrow('no such package');
});
