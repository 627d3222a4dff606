import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type AnyDenseModel,
  type AnyModel,
  type Decision,
  type DenseConfig,
  type PicturePreparation,
  type PictureSize,
  type TensorTree,
  type TokenMerging,
  UserError,
  denseConfigOf,
  disposeTree,
  downloadTensor,
  entriesOf,
  familyOf,
  isSameSize,
  mergingTokens,
  resizePictures,
  sizeText,
} from '@winnow/core';
import {
  type ImportOptions,
  PREPROCESSOR_FILE,
  type Preprocessor,
  checkpointKind,
  importModel,
  loadModel,
  modelFolderKind,
  readPreprocessor,
  usualPreprocessor,
} from '@winnow/formats';
import { recordIfAny } from '../run-folder/record';
import { resumeCommand } from '../run-folder/resume-command';
import type { CheckpointChoices, MergingChoices } from './checkpoint-choices';
import { placeOfModel } from './hub-model';

/** A model from disk; the caller owns its parameters. */
export type OpenedModel = AnyModel & {
  readonly decision: Decision | undefined;
  /** Names of its classes, in the order of its logits; undefined where nothing says them. */
  readonly classNames: readonly string[] | undefined;
  /** Size of the weights file. */
  readonly bytes: number;
  /** Notes from the reader of the file, one line each. */
  readonly notes: readonly string[];
  /** Path of the tokenizer that stands beside it. */
  readonly tokenizerPath: string | undefined;
  /** The preparation of its pictures; the data's own way where nothing says it. */
  readonly preparation: PicturePreparation | undefined;
  /** Whether it came without a classifier and has a fresh one. */
  readonly hasFreshHead: boolean;
};

/** Choices for reading a checkpoint of others. */
export type ReadingChoices = CheckpointChoices & Pick<ImportOptions, 'missingHead'>;

/**
 * Opens the model of a run folder, a model folder, or a Hugging Face, timm or open_clip checkpoint.
 * @param named Its path, or its name on the Hub.
 * @throws {UserError} when there is nothing, the run has not finished, or a model of ours is told what it says itself.
 * @throws {FormatError} when the files are corrupt or describe another kind of model.
 */
export async function openModel(named: string, reading: ReadingChoices = {}): Promise<OpenedModel> {
  const merging = mergingOf(reading);
  const opened = await openAsItIs(named, reading);
  return merging === undefined ? opened : { ...opened, ...merged(opened, merging, named), dense: undefined };
}

async function openAsItIs(named: string, reading: ReadingChoices): Promise<OpenedModel> {
  const { path } = await placeOfModel(named);
  const saved = savedModelIn(path);
  if (saved !== undefined) {
    refuseChoices(named, reading);
    const { decision, classNames, ...loaded } = await loadModel(saved);
    const beside = {
      decision,
      classNames,
      bytes: await weightBytes(saved),
      notes: [],
      tokenizerPath: tokenizerIn(saved),
      hasFreshHead: false,
    };
    const { imageSize } = reading;
    const sized = imageSize === undefined ? loaded : await sizedAs(loaded, imageSize, named);
    const preparation = (await readPreprocessor(saved))?.at(pictureSizeIn(sized.model) ?? 1);
    return { ...sized, ...beside, preparation };
  }
  const record = await recordIfAny(path);
  if (record !== undefined) {
    throw new UserError(`the run in ${path} has not finished: ${resumeCommand(record.command, path)}`);
  }
  const { heads, activation, missingHead, imageSize } = reading;
  const { notes, leftOut, source, usualNormalisation, ...imported } = await importModel(path, {
    ...(heads === undefined ? {} : { heads }),
    ...(activation === undefined ? {} : { activation }),
    ...(missingHead === undefined ? {} : { missingHead }),
    ...(imageSize === undefined ? {} : { imageSize }),
  });
  const preprocessor = (await readPreprocessor(path)) ?? usualPreprocessor(source, usualNormalisation);
  const tokenizerPath = tokenizerIn(path);
  return {
    ...imported,
    decision: undefined,
    notes: [
      ...notes,
      ...preparationNotes(imported.model.config, preprocessor),
      ...tokenizerNotes(imported.model.config, tokenizerPath),
      ...leftOut,
    ],
    tokenizerPath,
    preparation: preprocessor?.at(pictureSizeIn(imported.model) ?? 1),
  };
}

/** The size of a model's pictures; undefined for a model of texts. */
export function pictureSizeIn(model: AnyModel['model']): PictureSize | undefined {
  const config = denseConfigOf(model);
  return familyOf(config).towers(config).vision?.imageSize;
}

/**
 * A model of ours for pictures of another size.
 * @throws {UserError} when it has masks, reads no pictures, or its patches do not fill them; nothing of it is left then.
 */
async function sizedAs(any: AnyModel, imageSize: PictureSize, path: string): Promise<AnyDenseModel> {
  try {
    if (any.dense !== undefined)
      throw new UserError(
        `--image-size: ${path} has masks of single weights: train the ticket at its own size`,
      );
    return await resizePictures(any, imageSize, 'bicubic');
  } catch (error) {
    disposeTree(any.params);
    if (error instanceof RangeError) throw new UserError(`--image-size: ${path}: ${error.message}`);
    throw error;
  }
}

/**
 * Which kind of model there is at a path, told without reading its weights.
 * @throws {UserError} when there is nothing. @throws {FormatError} when the files are corrupt.
 */
export async function modelKindAt(named: string): Promise<DenseConfig['kind']> {
  const { path } = await placeOfModel(named);
  const saved = savedModelIn(path);
  return saved === undefined ? checkpointKind(path) : modelFolderKind(saved);
}

/** The folder of a model that we saved, at a path or in a run's folder. @throws {UserError} when there is nothing. */
function savedModelIn(path: string): string | undefined {
  if (!existsSync(path)) throw new UserError(`there is no model or run at ${path}`);
  return [join(path, 'model'), path].find((folder) => existsSync(join(folder, 'structure.json')));
}

/**
 * Reads what flags say of merging: how, none at all, or nothing.
 * @throws {UserError} when they say how without saying how many.
 */
function mergingOf({
  mergeTokens,
  mergeSchedule,
  mergeProportional,
}: MergingChoices): TokenMerging | 'none' | undefined {
  if (mergeTokens === undefined || mergeTokens === 0) {
    const [flag] = Object.entries({
      'merge-schedule': mergeSchedule,
      'merge-proportional': mergeProportional,
    })
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name);
    if (flag !== undefined)
      throw new UserError(`--${flag} says how tokens are merged: say with --merge-tokens how many`);
    return mergeTokens === 0 ? 'none' : undefined;
  }
  return {
    perBlock: mergeTokens,
    ...(mergeSchedule === 'decreasing' ? { schedule: mergeSchedule } : {}),
    ...(mergeProportional === false ? { proportional: false } : {}),
  };
}

/**
 * A model that merges tokens as it is told.
 * @throws {UserError} when it has masks or no tokens to merge; nothing of it is left then.
 */
function merged(any: AnyModel, merging: TokenMerging | 'none', path: string): AnyDenseModel {
  try {
    if (any.dense !== undefined)
      throw new UserError(`--merge-tokens: ${path} has masks of single weights: cut them out first`);
    return mergingTokens(any, merging === 'none' ? undefined : merging);
  } catch (error) {
    disposeTree(any.params);
    if (error instanceof RangeError) throw new UserError(`--merge-tokens: ${path}: ${error.message}`);
    throw error;
  }
}

/** @throws {UserError} when flags are given that only checkpoints of others need. */
function refuseChoices(path: string, { heads, activation }: ReadingChoices): void {
  for (const [flag, value] of Object.entries({ heads, activation })) {
    if (value !== undefined) {
      throw new UserError(
        `--${flag}: ${path} is a model of winnow, which says it itself: leave the flag out`,
      );
    }
  }
}

/** Notes where a checkpoint's pictures are prepared otherwise than one would think. */
function preparationNotes(config: DenseConfig, preprocessor: Preprocessor | undefined): string[] {
  const { vision } = familyOf(config).towers(config);
  if (vision === undefined) return [];
  const { imageSize: prepared, file, usual, notes = [] } = preprocessor ?? {};
  if (file === undefined) {
    const taken = usual === undefined ? 'as the data have it' : `in the usual way of ${usual}`;
    return [`no ${PREPROCESSOR_FILE} says how its pictures are prepared: it is done ${taken}`];
  }
  const { imageSize } = vision;
  return [
    ...(prepared === undefined || isSameSize(prepared, imageSize)
      ? []
      : [
          `makes pictures of ${sizeText(prepared)} px, the model takes ${sizeText(imageSize)}: its lengths are scaled to that`,
        ]),
    ...notes,
  ].map((note) => `${basename(file)} ${note}`);
}

/** A note where nothing reads the texts of a checkpoint. */
const tokenizerNotes = (config: DenseConfig, tokenizerPath: string | undefined): string[] =>
  tokenizerPath !== undefined || familyOf(config).towers(config).text === undefined
    ? []
    : [
        'no tokenizer.json (nor spiece.model, nor vocab.json and merges.txt) lies beside it: put there the one that it was trained with, or no text can be read',
      ];

/** Finds the file or folder of a Hugging Face tokenizer, in a folder or beside a file of weights. */
function tokenizerIn(path: string): string | undefined {
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  const file = ['tokenizer.json', 'spiece.model'].map((name) => join(folder, name)).find(existsSync);
  if (file !== undefined) return file;
  return existsSync(join(folder, 'vocab.json')) ? folder : undefined;
}

/** Size of the weights file in a model folder, or of the file itself. */
export async function weightBytes(path: string): Promise<number> {
  const inside = join(path, 'model.safetensors');
  const { size } = await stat(existsSync(inside) ? inside : path);
  return size;
}

/** SHA-256 of all parameters with their names. */
export async function digestOf(params: TensorTree): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, leaf] of entriesOf(params)) {
    const { shape, values } = await downloadTensor(leaf, name);
    hash.update(JSON.stringify([name, shape])).update(values);
  }
  return hash.digest('hex');
}
