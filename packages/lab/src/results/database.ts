import { rename, rm } from 'node:fs/promises';
import type * as DuckDb from '@duckdb/node-api';
import { temporaryName } from '@winnow/formats';
import type { Cell, Relation } from './relations';

/**
 * Writes tables into a DuckDB file, whole or not at all: what is there before is replaced.
 * @returns whether it is written: an installation may leave DuckDB out, whose native code has 60 MB.
 */
export async function writeDatabase(file: string, relations: readonly Relation[]): Promise<boolean> {
  const duckDb = await installedDuckDb();
  if (duckDb === undefined) return false;
  const temporary = temporaryName(file);
  try {
    await fill(await duckDb.DuckDBInstance.create(temporary), relations);
    await rename(temporary, file);
    return true;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await rm(`${temporary}.wal`, { force: true });
  }
}

async function installedDuckDb(): Promise<typeof DuckDb | undefined> {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    const isMissing = typeof error === 'object' && error !== null && 'code' in error;
    if (isMissing && error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

async function fill(instance: DuckDb.DuckDBInstance, relations: readonly Relation[]): Promise<void> {
  try {
    const connection = await instance.connect();
    try {
      await connection.run('BEGIN');
      for (const { name, columns, lines } of relations) {
        const names = Object.keys(columns);
        const declared = Object.entries(columns).map(([column, type]) => `${quoted(column)} ${type}`);
        await connection.run(`CREATE TABLE ${quoted(name)} (${declared.join(', ')})`);
        const places = names.map((_, place) => `$${place + 1}`).join(', ');
        const insertion = `INSERT INTO ${quoted(name)} VALUES (${places})`;
        for (const line of lines) {
          await connection.run(
            insertion,
            names.map((column) => storable(line[column] ?? null)),
          );
        }
      }
      await connection.run('COMMIT');
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** SQL has no NaN that anybody expects. */
const storable = (cell: Cell): Cell => (typeof cell === 'number' && !Number.isFinite(cell) ? null : cell);
