import { createHash } from 'node:crypto';
import { type Json, UserError, canonicalJson } from '@winnow/core';
import { contentHashes, decoderVersions, openTokenizer } from '@winnow/data';
import { z } from 'zod';
import { modelDigest } from '../model-source/model-digest';
import { chosenIn } from '../options/given';
import { datasetsIn, listed } from '../options/path';
import { type PathOptions, pathTexts } from '../options/path-options';
import type { GivenOptions } from '../options/group';
import { methodPackages } from '../table';
import { workloadIn, workloadNamed } from '../workload/choice';
import { codeOfPackage, codeOfTraining } from './package-code';
import type { RunIdentity } from './run-identity';

/** Commands that begin runs. */
export const runCommands = ['train', 'compress', 'ticket find', 'ticket train', 'ticket transfer'] as const;
export type RunCommand = (typeof runCommands)[number];

const text = z.string().optional();
const chosen = z.looseObject({ method: text, engine: text });

/**
 * Identifies what the result of a run depends on beside its options, as it is now.
 * @param options Every option of the command, paths as they are to be opened.
 * @throws {UserError} when a file is missing. @throws {DataError} when the data are missing or not as they should be.
 */
export async function identityOf(
  command: RunCommand,
  options: GivenOptions,
  paths: PathOptions,
): Promise<RunIdentity> {
  const data: RunIdentity['data'] = {};
  const files: RunIdentity['files'] = {};
  for (const [key, { kind, text }] of pathTexts(options, paths)) {
    switch (kind) {
      case 'dataset':
      case 'datasets':
        Object.assign(data, await identitiesOf(key, kind, text, options));
        break;
      case 'model':
        files[key] = await modelDigest(text);
        break;
      case 'tokenizer':
        files[key] = digestOfJson((await openTokenizer(text)).file);
        break;
      case 'file':
        files[key] = digestOfJson(await contentHashes([text]));
        break;
      case 'files':
        files[key] = digestOfJson(await contentHashes(listed(text)));
        break;
      case 'pictures': // of the dataset
      case 'output': // nothing that a run works on
        break;
      default:
        kind satisfies never;
    }
  }
  return { data, files, code: await codeOf(command, options) };
}

/** Identifies the datasets that an option names. */
export async function identitiesOf(
  key: string,
  kind: 'dataset' | 'datasets',
  text: string,
  options: GivenOptions,
): Promise<RunIdentity['data']> {
  if (kind === 'dataset') return { [key]: await workloadIn(options).identify(text, options) };
  const found: RunIdentity['data'] = {};
  for (const [place, { task, data }] of datasetsIn(key, text).entries())
    found[`${key} ${place + 1}`] = await workloadNamed(task).identify(data, options);
  return found;
}

/**
 * The packages whose code decides what a run computes: the core with its trainer, the data, the engine, and the method. The
 * command line counts by its training alone, so that a word in its help changes nothing.
 */
export async function codeOf(command: RunCommand, options: GivenOptions): Promise<RunIdentity['code']> {
  const found = await Promise.all(
    packagesOf(command, options).map(async (name): Promise<[string, string]> => [
      name,
      await codeNamed(name),
    ]),
  );
  return Object.fromEntries(found);
}

/** The command line's own training, and what decodes pictures, stand among the packages by these names. */
const [TRAINING, DECODER] = ['winnow', 'libvips'] as const;

async function codeNamed(name: string): Promise<string> {
  switch (name) {
    case TRAINING:
      return codeOfTraining();
    case DECODER:
      return decoderVersions();
    default:
      return codeOfPackage(name);
  }
}

/** Names of what `codeOf` looks at. */
export function packagesOf(command: RunCommand, options: GivenOptions): string[] {
  const { engine = 'auto', method } = chosenIn(chosen, options);
  return [
    TRAINING,
    DECODER,
    '@winnow/core',
    '@winnow/data',
    '@winnow/engine',
    ...(['auto', 'torch'].includes(engine) ? ['@winnow/engine-torch'] : []),
    ...(command.startsWith('ticket ') ? ['@winnow/lottery-ticket'] : []),
    ...(command === 'compress' && method !== undefined ? [packageOf(method)] : []),
  ];
}

function packageOf(method: string): string {
  const found = methodPackages.find(({ methods }) =>
    methods.some(({ manifest }) => manifest.name === method),
  );
  if (found !== undefined) return found.name;
  throw new UserError(`unknown method ${method}`);
}

const digestOfJson = (value: Json): string => createHash('sha256').update(canonicalJson(value)).digest('hex');
