import { readFile } from 'node:fs/promises';
import { UserError } from '@winnow/core';
import yaml from 'yaml';
import { z } from 'zod';
import type { GivenOptions } from '../options/group';

const options = z.record(z.string(), z.unknown());

/**
 * Options from a YAML or JSON file; JSON is YAML.
 * @throws {UserError} when the file cannot be read or does not hold options by name.
 */
export async function readConfigFile(file: string): Promise<GivenOptions> {
  const values = options.safeParse(parsed(file, await textOf(file)) ?? {});
  if (!values.success) throw new UserError(`${file}: expected options by name, like "batchSize: 64"`);
  return values.data;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read the config file ${file}: ${messageOf(error)}`);
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return yaml.parse(text);
  } catch (error) {
    throw new UserError(`${file} is neither YAML nor JSON: ${messageOf(error)}`);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
