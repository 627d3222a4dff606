import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DenseConfig,
  UserError,
  denseConfigOf,
  downloadTensor,
  entriesOf,
  familyOf,
} from '@winnow/core';
import {
  type Companions,
  FormatError,
  PREPROCESSOR_FILE,
  configForTransformers,
  writeAtomically,
} from '@winnow/formats';
import type { Examples } from '@winnow/onnx';
import { type OpenedModel, digestOf } from '../model-source/open-model';
import { version } from '../version';
import { calibrate } from './calibrate';
import { ONNX_OPSETS, type OnnxPrecision, onnxFile } from './precision';

export interface OnnxOptions {
  readonly precision?: OnnxPrecision | undefined;
  readonly opset?: number | undefined;
  /** Pictures that ranges are chosen by, which int8 needs; in the layout of the files. */
  readonly calibration?: Examples | undefined;
}

/**
 * Writes a file for each part of a model, and beside them what transformers.js reads: `config.json` with the kind of model
 * and the names of its classes, and the companions.
 * @throws {UserError} when a file would be longer than protobuf allows, a parameter is beyond float16, or int8 has no pictures to
 * choose ranges by, or is not for this model.
 */
export async function writeOnnx(
  folder: string,
  opened: OpenedModel,
  { precision = 'f32', opset = ONNX_OPSETS.first, calibration }: OnnxOptions,
  companions: Companions,
): Promise<{ readonly files: readonly string[]; readonly reason?: string }> {
  // Only whoever writes such files loads what it takes.
  const { encodeGraph, modelParts, partGraph, quantizeGraph } = await import('@winnow/onnx');
  const { model, params, classNames } = opened;
  const leaves = new Map(entriesOf(params));
  const read = async (path: string) => {
    const leaf = leaves.get(path);
    if (leaf === undefined) throw new RangeError(`expected a parameter ${path}, got none`);
    return downloadTensor(leaf, path);
  };
  const ranges = precision === 'int8' ? await rangesFor(opened, calibration) : undefined;
  const shared = await metadataOf(opened, precision);
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const files: string[] = [];
  for (const part of modelParts(model)) {
    const preparation = part.name === 'text' ? undefined : companions[PREPROCESSOR_FILE];
    const metadata = {
      ...shared,
      'winnow.part': part.name,
      ...(typeof preparation === 'string' ? { 'winnow.preprocessing': preparation } : {}),
    };
    const labels = { producerVersion: version(), metadata };
    const file = onnxFile(part.name, precision);
    const graph = partGraph(part, { opset, precision: precision === 'f16' ? 'f16' : 'f32' });
    const own = ranges === undefined ? graph : await quantizeGraph(graph, ranges, read);
    await writeAtomically(join(folder, file), await encodeGraph(own, read, labels));
    files.push(file);
  }
  for (const [name, content] of Object.entries(companions))
    await writeAtomically(join(folder, name), content);
  const config = configText(denseConfigOf(model), classNames);
  if (config.text !== undefined) await writeAtomically(join(folder, 'config.json'), config.text);
  return { files, ...(config.reason === undefined ? {} : { reason: config.reason }) };
}

/** @throws {UserError} when there are no pictures, or the model is none that whole numbers are for. */
async function rangesFor(opened: OpenedModel, calibration: Examples | undefined) {
  const config = denseConfigOf(opened.model);
  if (familyOf(config).towers(config).text !== undefined)
    throw new UserError('--precision int8: for models of pictures alone, and this one reads texts: take f16');
  if (config.ties !== undefined)
    throw new UserError(
      '--precision int8: columns of this model are shared, which whole numbers cannot be: take f16',
    );
  if (calibration === undefined || calibration.count === 0)
    throw new UserError('--precision int8: expected pictures that ranges are chosen by, got none');
  return calibrate(opened, calibration);
}

/** What every file of a model says of itself. */
export async function metadataOf(
  { model, params, classNames, decision }: OpenedModel,
  precision: OnnxPrecision,
): Promise<Readonly<Record<string, string>>> {
  const scaling = await logitScaling(params);
  return {
    'winnow.family': denseConfigOf(model).kind,
    'winnow.precision': precision,
    'winnow.parameters.sha256': await digestOf(params),
    ...(classNames === undefined ? {} : { 'winnow.classes': JSON.stringify(classNames) }),
    ...(decision === undefined ? {} : { 'winnow.decision': JSON.stringify(decision) }),
    ...(scaling === undefined ? {} : { 'winnow.logits': JSON.stringify(scaling) }),
  };
}

/** Where a family has no words in `transformers`, the files are all that there is. */
function configText(config: DenseConfig, classNames: readonly string[] | undefined) {
  try {
    return { text: configForTransformers(config, classNames) };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { reason: `no config.json for transformers.js: ${error.message}` };
  }
}

/** What makes logits of the embeddings of two files; undefined for other models. */
export async function logitScaling(
  params: OpenedModel['params'],
): Promise<{ readonly scale: number; readonly bias: number } | undefined> {
  const leaves = new Map(entriesOf(params));
  const numberIn = async (name: string) => {
    const leaf = leaves.get(name);
    return leaf === undefined ? undefined : (await downloadTensor(leaf, name)).values[0];
  };
  const [exponent, bias] = [await numberIn('logitScale'), await numberIn('logitBias')];
  return exponent === undefined ? undefined : { scale: Math.exp(exponent), bias: bias ?? 0 };
}
