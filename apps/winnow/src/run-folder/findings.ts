import { join } from 'node:path';
import type { Json } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';

/** What a method found beside its decision: data of figures. */
export const FINDINGS_FILE = 'findings.json';

export async function writeFindings(folder: string, findings: Json): Promise<void> {
  await writeAtomically(join(folder, FINDINGS_FILE), `${JSON.stringify(findings, undefined, 2)}\n`);
}
