import {
  type AnyDenseModel,
  type AtImageSize,
  type DenseConfig,
  type HostTensor,
  type HostTensors,
  type Model,
  type NamedTensors,
  type TensorTree,
  type VisionTransformer,
  type VisionTransformerParams,
  anyModel,
  atImageSize,
  disposeTree,
  downloadTree,
  initialize,
  isOfHead,
  mismatches,
  modelOf,
  pickTree,
  uploadEach,
  visionTransformerFamily,
} from '@winnow/core';
import { type Checkpoint, openCheckpoint } from '../checkpoint/checkpoint';
import { towersOf } from '../checkpoint/towers';
import { FormatError } from '../file/format-error';
import { listed } from '../file/listing';
import type { PictureNormalisation } from '../preprocessor/normalisation';
import { type Correspondence, correspondences, partsOfTheirs } from './correspondence';
import type { ImportOptions, Layout, Reading, Source } from './layout';
import { layoutOf } from './recognise';
import { layouts } from './table';

/** A model of whatever kind the checkpoint holds, with its parameters, which the caller owns. */
export type ImportedModel = AnyDenseModel & {
  /** Size of its files of weights, all together. */
  readonly bytes: number;
  /** Names of its classes, in the order of the classifier's rows; undefined where nothing says them. */
  readonly classNames: readonly string[] | undefined;
  /** Whether its classifier is a fresh one. */
  readonly hasFreshHead: boolean;
  /** Notes for the user on how it was read, one line each. */
  readonly notes: readonly string[];
  /** Whose layout it has. */
  readonly source: Source;
  /** The normalisation of its pictures where no file beside it says one; undefined where that is open. */
  readonly usualNormalisation: PictureNormalisation | undefined;
  /** Tensors of the checkpoint that were left out, one line each with the reason. */
  readonly leftOut: readonly string[];
};

export interface ImportedVisionTransformer {
  readonly model: VisionTransformer;
  /** The caller owns the tensors. */
  readonly params: VisionTransformerParams;
  /** Names of its classes, in the order of the classifier's rows; undefined where nothing says them. */
  readonly classNames: readonly string[] | undefined;
  /** Tensors of the checkpoint that were left out, one line each with the reason. */
  readonly leftOut: readonly string[];
}

/**
 * A model of others: ViT, DeiT and DINOv2 of Hugging Face and timm; CLIPModel, CLIPTextModelWithProjection, SiglipModel
 * and BLIP for captions, questions and retrieval of Hugging Face, SigLIP's vision towers of both; CLIP of open_clip and of OpenAI's own code.
 * @param folderOrFile A folder with `model.safetensors`, sharded weights with `model.safetensors.index.json`, or
 * `open_clip_model.safetensors`; or one of these files. Beside it lies `config.json` or `open_clip_config.json`.
 * @throws {FormatError} when a file is missing or corrupt, the configuration is one that we do not have, or tensors are
 * missing, extra or misshapen: they are listed by their own names.
 */
export function importModel(folderOrFile: string, options: ImportOptions = {}): Promise<ImportedModel> {
  return importFrom(folderOrFile, options, layouts);
}

/**
 * Like `importModel`, where only a ViT or DeiT will do.
 * @throws {FormatError} as `importModel` does, and for every other kind of model.
 */
export async function importVisionTransformer(
  folderOrFile: string,
  options: ImportOptions = {},
): Promise<ImportedVisionTransformer> {
  const own = layouts.filter(({ family }) => family.kind === visionTransformerFamily.kind);
  const imported = await importFrom(folderOrFile, options, own);
  if (visionTransformerFamily.holds(imported)) return imported;
  throw new RangeError(`expected a ${visionTransformerFamily.kind} from its layouts, got a ${imported.kind}`);
}

/**
 * Which kind of model a checkpoint of others holds; only its headers and its configuration are read.
 * @throws {FormatError} as `importModel` does.
 */
export function checkpointKind(folderOrFile: string): Promise<DenseConfig['kind']> {
  // None of what a checkpoint may leave open matters to its kind.
  const anything: ImportOptions = { heads: 1, activation: 'gelu', missingHead: { classes: 1, seed: 0 } };
  return withCheckpoint(folderOrFile, (checkpoint) =>
    Promise.resolve(readingOf(checkpoint, anything, layoutOf(checkpoint, layouts)).config.kind),
  );
}

function importFrom(
  folderOrFile: string,
  options: ImportOptions,
  table: readonly Layout[],
): Promise<ImportedModel> {
  return withCheckpoint(folderOrFile, async (checkpoint) => {
    const layout = layoutOf(checkpoint, table);
    const reading = readingOf(checkpoint, options, layout);
    checkSaid(checkpoint, reading, options);
    const { config, fit } = sizedAs(checkpoint, reading.config, layout, options);
    const { tensors, leftOut } = await parametersOf(checkpoint, reading, fit);
    const { classNames, fresh, notes = [] } = reading;
    const how = { classNames, hasFreshHead: fresh !== undefined, notes, leftOut };
    const { source, normalisation: usualNormalisation } = layout;
    return { ...anyModel(config, tensors), bytes: checkpoint.bytes, source, usualNormalisation, ...how };
  });
}

/** @throws {FormatError} when it contradicts its layout, or has no classifier where a new one was asked for. */
function readingOf(checkpoint: Checkpoint, options: ImportOptions, layout: Layout): Reading {
  const reading = layout.read(checkpoint, options);
  if (options.newHead !== undefined && layout.family.classes(reading.config) === 0) {
    throw new FormatError(
      `${checkpoint.file}: expected a model with a classifier for the option \`newHead\`, got ${layout.models}, which has ` +
        'none; leave the option out',
    );
  }
  return reading;
}

/**
 * The model for pictures of the size that was asked for.
 * @throws {FormatError} when it reads no pictures, or its patches do not fill them.
 */
function sizedAs(
  { file }: Checkpoint,
  config: DenseConfig,
  { resampling = 'bicubic' }: Layout,
  { imageSize }: ImportOptions,
): AtImageSize {
  if (imageSize === undefined) return { config, fit: (_path, tensor) => tensor };
  try {
    return atImageSize(config, imageSize, resampling);
  } catch (error) {
    if (error instanceof RangeError) throw new FormatError(`${file}: ${error.message}`);
    throw error;
  }
}

/**
 * Checks what is said beside a checkpoint. It fills in what the checkpoint does not say itself; it changes nothing of
 * the rest.
 * @throws {FormatError} when it contradicts the checkpoint.
 */
function checkSaid({ file }: Checkpoint, { config }: Reading, { heads, activation }: ImportOptions): void {
  for (const tower of towersOf(config)) {
    if (heads !== undefined && heads !== tower.heads) {
      throw new FormatError(
        `${file}: expected ${tower.heads} attention heads, as its configuration says, got ${heads}; leave --heads (the option ` +
          '`heads`) out',
      );
    }
    if (activation !== undefined && activation !== tower.activation) {
      throw new FormatError(
        `${file}: expected the activation ${tower.activation}, as its configuration says, got ${activation}; leave ` +
          '--activation (the option `activation`) out',
      );
    }
  }
}

async function withCheckpoint<Result>(
  folderOrFile: string,
  use: (checkpoint: Checkpoint) => Promise<Result>,
): Promise<Result> {
  const checkpoint = await openCheckpoint(folderOrFile);
  try {
    return await use(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/** All parameters by our paths, and a line for each of their tensors that is none of them. */
async function parametersOf(
  checkpoint: Checkpoint,
  { config, naming, fresh: head, leftOut: reasonFor }: Reading,
  fit: AtImageSize['fit'],
): Promise<{ tensors: NamedTensors; leftOut: string[] }> {
  const model = modelOf(config);
  const isFresh = ({ parts }: Correspondence): boolean =>
    head !== undefined && parts.some(({ path }) => isOfHead(model, path));
  const table = correspondences({ specs: model.specs, config }, naming).filter((row) => !isFresh(row));
  checkTensors(checkpoint, table, reasonFor);
  const fresh = head && (await freshHeads(model, head.seed));
  // One by one: neither their tensors nor ours need be in host memory as a whole.
  async function* ours(): AsyncGenerator<readonly [string, HostTensor]> {
    for (const row of table) {
      const parts = partsOfTheirs(row, await checkpoint.read(row.name));
      for (const [path, tensor] of parts) yield [path, fit(path, tensor)];
    }
    yield* fresh ?? [];
  }
  const tensors = await uploadEach(ours());
  const leftOut = [...checkpoint.tensors.keys()].flatMap((name) => {
    const reason = reasonFor(name);
    return reason === undefined ? [] : [`${name}: ${reason}`];
  });
  return { tensors, leftOut };
}

/** Initial values of the task's own parameters, by path; none in a model that has none. */
async function freshHeads(model: Model, seed: number): Promise<HostTensors> {
  const own = pickTree(model.specs, (spec, path) => (isOfHead(model, path) ? spec : undefined));
  const heads = initialize<TensorTree>(own, seed);
  const values = await downloadTree(heads);
  disposeTree(heads);
  return values;
}

function checkTensors(
  { file, tensors }: Checkpoint,
  table: readonly Correspondence[],
  reasonFor: Reading['leftOut'],
): void {
  const used = new Map([...tensors].filter(([name]) => reasonFor(name) === undefined));
  const wrong = mismatches(
    table.map((row) => [row.name, row] as const),
    used,
  );
  for (const [name, { dtype }] of used) {
    if (dtype !== 'float32') wrong.push(`${name}: expected floating-point values, got integers`);
  }
  if (wrong.length > 0) {
    throw new FormatError(`${file}: the tensors do not fit the configuration:${listed(wrong)}`);
  }
}
