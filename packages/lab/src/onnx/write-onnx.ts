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
import { type OpenedModel, digestOf } from '../model-source/open-model';
import { tokenizerIfRead } from '../model-source/companions';
import type { Graph, ModelPart, PairOptions } from '@winnow/onnx';
import type { Calibration } from '../proof/calibration';
import { version } from '../version';
import { rowsTogether } from '../proof/expectation';
import { calibrate } from './calibrate';
import { ONNX_OPSETS, type OnnxPrecision, onnxFile } from './precision';

export interface OnnxOptions {
  readonly precision?: OnnxPrecision | undefined;
  readonly opset?: number | undefined;
  /** Examples that ranges are chosen by, which int8 needs; in the layout of the files. */
  readonly calibration?: Calibration | undefined;
  /** Whether a dual encoder is a file of its own too, beside those of its towers: default false. */
  readonly whole?: boolean | undefined;
}

/**
 * Writes a file for each part of a model, and beside them what transformers.js reads: `config.json` with the kind of model
 * and the names of its classes, and the companions.
 * @throws {UserError} when a file would be longer than protobuf allows, a parameter is beyond float16, or int8 has no examples to
 * choose ranges by.
 */
export async function writeOnnx(
  folder: string,
  opened: OpenedModel,
  { precision = 'f32', opset = ONNX_OPSETS.first, calibration, whole = false }: OnnxOptions,
  companions: Companions,
): Promise<{ readonly files: readonly string[]; readonly reason?: string }> {
  // Only whoever writes such files loads what it takes.
  const { encodeGraph, modelParts, pairGraph, partGraph, quantizeGraph } = await import('@winnow/onnx');
  const { model, params, classNames } = opened;
  const leaves = new Map(entriesOf(params));
  const read = async (path: string) => {
    const leaf = leaves.get(path);
    if (leaf === undefined) throw new RangeError(`expected a parameter ${path}, got none`);
    return downloadTensor(leaf, path);
  };
  const shared = await metadataOf(opened, precision);
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const files: string[] = [];
  const writeGraph = async (name: ModelPart['name'], graph: Graph): Promise<void> => {
    const seesPictures = graph.inputs.some((port) => port.name === 'pixel_values');
    const preparation = seesPictures ? companions[PREPROCESSOR_FILE] : undefined;
    const metadata = {
      ...shared,
      'winnow.part': name,
      ...(typeof preparation === 'string' ? { 'winnow.preprocessing': preparation } : {}),
    };
    const labels = { producerVersion: version(), metadata };
    const file = onnxFile(name, precision);
    await writeAtomically(join(folder, file), await encodeGraph(graph, read, labels));
    files.push(file);
  };
  const graphs = new Map<ModelPart['name'], Graph>();
  for (const part of modelParts(model)) {
    const graph = partGraph(part, { opset, precision: precision === 'f16' ? 'f16' : 'f32' });
    const own =
      precision === 'int8'
        ? await quantizeGraph(graph, await rangesFor(opened, part, calibration), read, rowsTogether(model))
        : graph;
    graphs.set(part.name, own);
    await writeGraph(part.name, own);
  }
  const [vision, text] = [graphs.get('vision'), graphs.get('text')];
  const reading = whole ? await pairReading(opened) : undefined;
  if (vision !== undefined && text !== undefined && reading !== undefined)
    await writeGraph('model', pairGraph(vision, text, reading));
  for (const [name, content] of Object.entries(companions))
    await writeAtomically(join(folder, name), content);
  const config = configText(denseConfigOf(model), classNames);
  if (config.text !== undefined) await writeAtomically(join(folder, 'config.json'), config.text);
  return { files, ...(config.reason === undefined ? {} : { reason: config.reason }) };
}

/** Finds how the file of both towers of a dual encoder reads texts and makes logits; undefined for other models. */
async function pairReading({ model, params, tokenizerPath }: OpenedModel): Promise<PairOptions | undefined> {
  const config = denseConfigOf(model);
  const { text } = familyOf(config).towers(config);
  const scaling = await logitScaling(params);
  if (text === undefined || scaling === undefined) return undefined;
  const tokenizer = tokenizerPath === undefined ? undefined : await tokenizerIfRead(tokenizerPath);
  const { endToken, vocabulary, context } = text;
  const end = typeof endToken === 'number' ? endToken : vocabulary - 1;
  return { ...scaling, context, padToken: tokenizer?.padToken ?? end };
}

/** @throws {UserError} when there are no examples. */
function rangesFor(opened: OpenedModel, part: ModelPart, calibration: Calibration | undefined) {
  const examples = calibration?.get(part.name);
  if (examples === undefined)
    throw new UserError('--precision int8: expected examples that ranges are chosen by, got none');
  return calibrate(opened, part, examples);
}

/** Writes the metadata of every file of a model. */
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

/** Finds the scale and shift that make logits of the embeddings of two files; undefined for other models. */
export async function logitScaling(
  params: OpenedModel['params'],
): Promise<{ readonly scale: number; readonly bias: number } | undefined> {
  const leaves = new Map(entriesOf(params));
  const numberIn = async (name: string) => {
    const leaf = leaves.get(name);
    return leaf === undefined ? undefined : (await downloadTensor(leaf, name)).values[0];
  };
  const exponent = (await numberIn('logitScale')) ?? (await numberIn('embeddings.logitScale'));
  const bias = await numberIn('logitBias');
  return exponent === undefined ? undefined : { scale: Math.exp(exponent), bias: bias ?? 0 };
}
