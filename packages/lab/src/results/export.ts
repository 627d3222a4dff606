import { denseRowsOf, outcomesSchema, tablesOf } from '@winnow/comparison';
import type { Outcomes } from '@winnow/comparison';
import { type JsonFileFormat, writeAtomically, writeJson } from '@winnow/formats';
import { z } from 'zod';
import { csvOf } from './csv';
import { writeDatabase } from './database';
import { relationsOf } from './relations';

/** The files that hold what a comparison found; all are made anew from its runs. */
export const exports = {
  database: 'results.duckdb',
  runs: 'runs.csv',
  summary: 'summary.csv',
  json: 'results.json',
} as const;

const resultsFormat: JsonFileFormat<Outcomes & { readonly summary: unknown }> = {
  schema: outcomesSchema.extend({ summary: z.unknown() }),
  what: 'the results of a comparison',
};

/**
 * Writes the database, and for those without one CSV and JSON.
 * @returns the files that this installation cannot write.
 */
export async function exportResults(
  outcomes: Outcomes,
  confidence: number,
  fileNamed: (name: string) => string,
): Promise<string[]> {
  const [tables, dense] = [tablesOf(outcomes, confidence), denseRowsOf(outcomes)];
  const relations = relationsOf(outcomes, tables, dense);
  const hasDatabase = await writeDatabase(fileNamed(exports.database), relations);
  for (const name of ['runs', 'summary'] as const) {
    const relation = relations.find((each) => each.name === name);
    if (relation !== undefined) await writeAtomically(fileNamed(exports[name]), csvOf(relation));
  }
  const whole = { ...outcomesSchema.parse(outcomes), summary: { dense, tables } };
  await writeJson(fileNamed(exports.json), whole, resultsFormat);
  return hasDatabase ? [] : [exports.database];
}
