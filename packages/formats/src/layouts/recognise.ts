import { z } from 'zod';
import type { Checkpoint } from '../checkpoint/checkpoint';
import { FormatError } from '../file/format-error';
import { checkJson } from '../file/json';
import { configOf } from './hugging-face/config-file';
import { unsupportedTypes } from './hugging-face/unsupported-types';
import type { Layout } from './layout';
import { unsupportedArchitecture } from './timm/unsupported';

/**
 * Finds the layout of a checkpoint: by the names of its tensors, and where several have such names, by the `model_type` in
 * its `config.json`.
 * @throws {FormatError} when there is none.
 */
export function layoutOf(checkpoint: Checkpoint, table: readonly Layout[]): Layout {
  const alike = table.filter((layout) => layout.recognises(checkpoint.tensors));
  const [first] = alike;
  if (first === undefined) throw unknownLayout(checkpoint, table);
  if (first.modelTypes === undefined) return first;
  const type = modelTypeOf(checkpoint, first, alike);
  return alike.find(({ modelTypes = {} }) => Object.hasOwn(modelTypes, type)) ?? first;
}

/** @throws {FormatError} when `config.json` is missing, or its model is none of those whose tensors have such names. */
function modelTypeOf(checkpoint: Checkpoint, { models }: Layout, alike: readonly Layout[]): string {
  const types = new Map(alike.flatMap(({ modelTypes = {} }) => Object.entries(modelTypes)));
  const error = ({ input }: { readonly input?: unknown }) => {
    const feature = typeof input === 'string' ? unsupportedTypes[input] : undefined;
    return (
      `expected ${listOf([...types.values()])}, got ${JSON.stringify(input) ?? 'nothing'}` +
      (feature === undefined ? '' : `: models with ${feature} are not supported`)
    );
  };
  const schema = z.looseObject({ model_type: z.enum([...types.keys()], { error }) });
  const { file, json } = configOf(checkpoint);
  return checkJson(file, json, schema, `the configuration of ${models}`).model_type;
}

const typed = z.looseObject({ model_type: z.string() });

/** The feature that makes a model another one than ours, where its configuration names a model that has it. */
function unsupportedIn(checkpoint: Checkpoint): string | undefined {
  const type = typed.safeParse(checkpoint.config?.json).data?.model_type;
  const feature = type === undefined ? undefined : unsupportedTypes[type];
  if (feature !== undefined) return `${feature} (${type})`;
  const architecture = unsupportedArchitecture(checkpoint);
  return architecture === undefined ? undefined : `${architecture.feature} (${architecture.name})`;
}

function unknownLayout(checkpoint: Checkpoint, table: readonly Layout[]): FormatError {
  const { file, tensors } = checkpoint;
  const unsupported = unsupportedIn(checkpoint);
  if (unsupported !== undefined)
    return new FormatError(`${file}: models with ${unsupported} are not supported`);
  const some = [...tensors.keys()].slice(0, 3).join(', ');
  const models = [...new Set(table.map((layout) => layout.models))];
  const known = models.map((name) => {
    const own = table.filter((layout) => layout.models === name);
    const sources = own.flatMap(({ source, alsoOf = [] }) => [source, ...alsoOf]);
    const anchors = own.flatMap((layout) => layout.anchors);
    return `${name} of ${listOf(sources)} (a tensor called ${listOf(anchors)})`;
  });
  return new FormatError(`${file}: expected ${known.join(', or ')}, got tensors like ${some || 'none'}`);
}

/** `a, b or c`, each once. */
function listOf(names: readonly string[]): string {
  const once = [...new Set(names)];
  return [once.slice(0, -1).join(', '), ...once.slice(-1)].filter((part) => part !== '').join(' or ');
}
