import { join } from 'node:path';
import type { Json } from '@winnow/core';
import { type JsonFileFormat, readJsonIfThere, writeJson } from '@winnow/formats';
import { z } from 'zod';

/** The file of what a method found beside its decision: data of figures. */
const FINDINGS_FILE = 'findings.json';

const findingsFormat: JsonFileFormat<Json> = { schema: z.json(), what: 'the findings of a method' };

export const writeFindings = (folder: string, findings: Json): Promise<void> =>
  writeJson(join(folder, FINDINGS_FILE), findings, findingsFormat);

/** @throws {FormatError} when they cannot be read. */
export const readFindings = (folder: string): Promise<Json | undefined> =>
  readJsonIfThere(join(folder, FINDINGS_FILE), findingsFormat);
