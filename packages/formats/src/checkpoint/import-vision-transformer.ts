import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type HostTensors,
  type VisionTransformer,
  type VisionTransformerParams,
  downloadTree,
  disposeTree,
  initialize,
  mismatches,
  uploadTree,
  visionTransformer,
} from '@winnow/core';
import { z } from 'zod';
import { FormatError } from '../file/format-error';
import { parseJson, readBytesIfThere } from '../file/read-file';
import { fromHuggingFaceConfig } from '../hugging-face/vision-transformer-config';
import { huggingFaceNamesIn, huggingFaceNaming } from '../hugging-face/vision-transformer-naming';
import { readSafetensors } from '../safetensors/safetensors';
import { timmVisionTransformerConfig } from '../timm/vision-transformer-config';
import { timmNaming } from '../timm/vision-transformer-naming';
import { type Correspondence, type Naming, correspondences, fromTheirs } from './correspondence';

export interface ImportOptions {
  /** Attention heads, where the checkpoint does not say (timm weights without a `config.json`). */
  readonly heads?: number;
  /** Leaves the checkpoint's classifier, if it has one, and starts a fresh one for this many classes. */
  readonly newHead?: { readonly classes: number; readonly seed: number };
}

export interface ImportedVisionTransformer {
  readonly model: VisionTransformer;
  /** The caller owns the tensors. */
  readonly params: VisionTransformerParams;
  /** Tensors of the checkpoint that were left out, one line each with the reason. */
  readonly leftOut: readonly string[];
}

/** What a checkpoint is made of. */
interface Checkpoint {
  readonly file: string;
  readonly tensors: HostTensors;
  readonly config?: { readonly file: string; readonly json: unknown };
}

/** What is known of a checkpoint once its kind is. */
interface Reading {
  readonly model: VisionTransformer;
  readonly naming: Naming;
}

/**
 * A ViT or DeiT from Hugging Face or timm: a folder with `model.safetensors` and `config.json`, or the safetensors file
 * (with its `config.json` beside it; timm weights do without if the option `heads` is given).
 * @throws {FormatError} when a file is missing or corrupt, the configuration is one that we do not have, or tensors are
 * missing, extra or misshapen: they are listed by their own names.
 */
export async function importVisionTransformer(
  folderOrFile: string,
  options: ImportOptions = {},
): Promise<ImportedVisionTransformer> {
  const checkpoint = await readCheckpoint(folderOrFile);
  const { model, naming } = readingOf(checkpoint, options);
  const table = correspondences(model, naming);
  const { used, leftOut } = sorted(checkpoint.tensors, naming, options);
  const fresh = options.newHead && (await freshHeads(model, options.newHead.seed));
  const stored = table.filter(({ parts }) => parts.every(({ path }) => !fresh?.has(path)));
  checkTensors(checkpoint.file, stored, used);
  const ours = new Map([...fromTheirs(stored, used), ...(fresh ?? [])]);
  return { model, params: uploadTree<VisionTransformerParams>(model.specs, ours), leftOut };
}

async function readCheckpoint(folderOrFile: string): Promise<Checkpoint> {
  const isFolder = await stat(folderOrFile).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const file = isFolder ? join(folderOrFile, 'model.safetensors') : folderOrFile;
  const configFile = join(dirname(file), 'config.json');
  const { tensors } = await readSafetensors(file);
  const bytes = await readBytesIfThere(configFile);
  if (bytes === undefined) return { file, tensors };
  return { file, tensors, config: { file: configFile, json: parseJson(configFile, bytes, z.unknown()) } };
}

function readingOf(checkpoint: Checkpoint, { heads, newHead }: ImportOptions): Reading {
  const { file, tensors, config } = checkpoint;
  const classesBy = (name: string) => newHead?.classes ?? classesOf(checkpoint, name);
  const names = huggingFaceNamesIn([...tensors.keys()]);
  if (names !== undefined) {
    if (config === undefined) {
      throw new FormatError(`${file}: expected a config.json beside this Hugging Face checkpoint, got none`);
    }
    const classifier = tensors.has('cls_classifier.weight') ? 'cls_classifier.weight' : 'classifier.weight';
    const model = visionTransformer(fromHuggingFaceConfig(config.file, config.json, classesBy(classifier)));
    return { model, naming: huggingFaceNaming({ ...names, distillation: model.config.distillation }) };
  }
  if (tensors.has('cls_token')) {
    const source = {
      file,
      tensors,
      ...(config === undefined ? {} : { config }),
      ...(heads === undefined ? {} : { heads }),
    };
    return {
      model: visionTransformer(timmVisionTransformerConfig(source, classesBy('head.weight'))),
      naming: timmNaming,
    };
  }
  const some = [...tensors.keys()].slice(0, 3).join(', ');
  throw new FormatError(
    `${file}: expected a ViT or DeiT of Hugging Face or timm (a tensor called cls_token), got tensors like ${some || 'none'}`,
  );
}

/** Rows of a classifier stored [K, D]. */
function classesOf({ file, tensors }: Checkpoint, name: string): number {
  const shape = tensors.get(name)?.shape;
  const [classes] = shape ?? [];
  if (classes !== undefined && classes > 0) return classes;
  throw new FormatError(
    `${file}: expected a classifier ${name} with a row per class, got ${shape === undefined ? 'none' : `[${shape.join(', ')}]`}; ` +
      'the option `newHead` starts a fresh one',
  );
}

/** Tensors that are a part of the model, and a line for each that is rightly left out. */
function sorted(
  tensors: HostTensors,
  naming: Naming,
  { newHead }: ImportOptions,
): { used: HostTensors; leftOut: string[] } {
  const heads = ['head.weight', 'head.bias', 'distillationHead.weight', 'distillationHead.bias'].map(naming);
  const reasonFor = (name: string): string | undefined => {
    if (/(^|\.)pooler\.dense\./.test(name)) return 'the classifier reads the class token, not the pooler';
    if (newHead !== undefined && heads.includes(name)) return 'a fresh classifier was asked for';
    return undefined;
  };
  return {
    used: new Map([...tensors].filter(([name]) => reasonFor(name) === undefined)),
    leftOut: [...tensors.keys()].flatMap((name) => {
      const reason = reasonFor(name);
      return reason === undefined ? [] : [`${name}: ${reason}`];
    }),
  };
}

/** Initial values of the classifiers, by path. */
async function freshHeads({ specs }: VisionTransformer, seed: number): Promise<HostTensors> {
  const { head, distillationHead } = specs;
  const heads = initialize<Pick<VisionTransformerParams, 'head' | 'distillationHead'>>(
    { head, ...(distillationHead === undefined ? {} : { distillationHead }) },
    seed,
  );
  const values = await downloadTree(heads);
  disposeTree(heads);
  return values;
}

function checkTensors(file: string, table: readonly Correspondence[], tensors: HostTensors): void {
  const wrong = mismatches(
    table.map((row) => [row.name, row] as const),
    tensors,
  );
  for (const [name, { dtype }] of tensors) {
    if (dtype !== 'float32') wrong.push(`${name}: expected floating-point values, got integers`);
  }
  if (wrong.length > 0) {
    throw new FormatError(`${file}: the tensors do not fit the configuration:\n  ${wrong.join('\n  ')}`);
  }
}
