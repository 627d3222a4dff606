import {
  type DenseConfig,
  UserError,
  blipFamily,
  denseConfigOf,
  disposeTree,
  familyOf,
  parseOptions,
  uniterFamily,
  viltFamily,
} from '@winnow/core';
import { imageNetNormalisation } from '@winnow/data';
import { startEngine } from '@winnow/engine';
import {
  type Companions,
  FormatError,
  differencesOfTransformers,
  exportHuggingFace,
  saveModel,
} from '@winnow/formats';
import { z } from 'zod';
import type { GivenOptions, OptionGroup } from '../options/group';
import { pathOption } from '../options/path';
import { preprocessorOf, tokenizerFiles } from './companions';
import type { HubWatch } from '../hub/snapshot';
import { pinnedModel } from './hub-model';
import { type OpenedModel, openModel, pictureSizeIn } from './open-model';
import { tokenizerConfig } from './tokenizer-config';
import { calibrationCount, calibrationExamples, refuseIdleCalibration } from '../proof/calibration';
import { namesIn } from '../run-folder/output-folder';
import { writeWhole } from './write-whole';
import { writePyTorch } from '../pytorch/write-pytorch';
import { ONNX_OPSETS, onnxPrecisions } from '../onnx/precision';
import { type OnnxOptions, writeOnnx } from '../onnx/write-onnx';

const formats = ['safetensors', 'hugging-face', 'winnow', 'onnx', 'pytorch'] as const;

const exportOptions = z.object({
  format: z
    .enum(formats)
    .default('safetensors')
    .describe(
      "safetensors: Hugging Face's layout where the model can be said in it, else our own. onnx: files for ONNX Runtime, in a folder that transformers.js loads. pytorch: safetensors, and model.py that makes the model of them",
    ),
  precision: z
    .enum(onnxPrecisions)
    .optional()
    .describe('The numbers of ONNX files; f16 takes half the room, int8 a quarter (default: f32)'),
  opset: z
    .int()
    .min(ONNX_OPSETS.first)
    .max(ONNX_OPSETS.last)
    .optional()
    .describe(
      `The operators of ONNX files, from 20 on with GELU as one of them (default: ${ONNX_OPSETS.first})`,
    ),
  data: pathOption('dataset')
    .optional()
    .describe('Of int8: the pictures that its ranges are chosen by; default: the data of the run'),
  calibration: calibrationCount.optional(),
  out: pathOption('output').min(1).optional().describe('The folder to write to'),
});

/** The options of an export. */
export const exportGroup = {
  title: 'Options of export',
  schema: exportOptions,
} as const satisfies OptionGroup;

/** A model that was written for other programs. */
export interface ExportedModel {
  readonly layout: 'our own' | 'Hugging Face' | 'ONNX' | 'PyTorch';
  /** The files that hold the weights, below the folder, where their names depend on the model. */
  readonly files?: readonly string[];
  /** The reason why it is not in Hugging Face's layout, where that was tried. */
  readonly reason?: string;
  readonly out: string;
  /** Notes on how a checkpoint of others was read, one line each. */
  readonly notes: readonly string[];
}

/**
 * Writes a model for other programs.
 * @param named A run, a model folder or a checkpoint, or a model of the Hub.
 * @param given Options of `exportGroup`; `out` must be among them.
 * @throws {UserError} when there is no model, or the folder is taken.
 * @throws {FormatError} when its files are corrupt, or it cannot be said in the layout that was asked for.
 */
export async function exportModel(
  named: string,
  given: GivenOptions,
  watch: HubWatch = {},
): Promise<ExportedModel> {
  const { format, out, ...onnx } = parseOptions(exportOptions, given, exportGroup.title);
  if (out === undefined) throw new UserError('export: say with --out where the model should go');
  if ((await namesIn(out)).length > 0)
    throw new UserError(`${out} is not empty: choose another folder with --out`);
  if (format !== 'onnx') refuseOnnxOptions(onnx, format);
  refuseIdleCalibration(onnx.precision, onnx);
  const path = await pinnedModel(named, watch);
  // Weights only pass through: the engine that is always there will do.
  await startEngine('wasm');
  const opened = await openModel(path);
  try {
    const companions = await companionsOf(opened);
    const { calibration, ...others } = onnx;
    const examples = await calibrationOf(path, opened, format, { ...others, calibration });
    const chosen = { format, ...others, calibration: examples };
    const written = await writeWhole(out, (folder) => write(folder, chosen, opened, companions));
    const { preparation = imageNetNormalisation } = opened;
    const differences =
      written.layout === 'our own' ? [] : differencesOfTransformers(preparation, pictureSizeIn(opened.model));
    return { ...written, out, notes: [...opened.notes, ...differences] };
  } finally {
    disposeTree(opened.params);
  }
}

/** @throws {UserError} naming an option that is for ONNX files alone. */
function refuseOnnxOptions(given: object, format: string): void {
  const [option] = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (option !== undefined)
    throw new UserError(
      `--${option}: only ONNX files have one, not ${format}: leave it out, or take --format onnx`,
    );
}

/** Gathers the files that go out with a model. Other programs do not know how our data prepares pictures: it has to be said. */
export async function companionsOf(opened: OpenedModel): Promise<Companions> {
  const { preparation = imageNetNormalisation } = opened;
  return { ...(await tokenizerOf(opened)), ...preprocessorOf({ ...opened, preparation }) };
}

/** Examples that int8 files choose their ranges by. */
async function calibrationOf(
  path: string,
  opened: OpenedModel,
  format: string,
  options: Parameters<typeof calibrationExamples>[3],
) {
  if (format !== 'onnx' || options.precision !== 'int8') return undefined;
  const { modelParts } = await import('@winnow/onnx');
  return calibrationExamples(path, opened, modelParts(opened.model), options);
}

/** The tokenizer beside the model, with a configuration of it for `transformers` where none is there. */
async function tokenizerOf(opened: OpenedModel): Promise<Companions> {
  const { tokenizerPath, model } = opened;
  const context = textContextIn(denseConfigOf(model));
  if (tokenizerPath === undefined || context === undefined) return {};
  return { ...(await tokenizerConfig(tokenizerPath, context)), ...(await tokenizerFiles(opened)) };
}

/** Tokens of the longest text that a model reads; undefined for one of pictures. */
function textContextIn(config: DenseConfig): number | undefined {
  if (viltFamily.is(config) || uniterFamily.is(config)) return config.text.context;
  if (blipFamily.is(config)) return (config.encoder ?? config.decoder)?.context;
  return familyOf(config).towers(config).text?.context;
}

/** Writes the model into a folder, and says in which layout. */
async function write(
  folder: string,
  { format, ...onnx }: { readonly format: (typeof formats)[number] } & OnnxOptions,
  opened: OpenedModel,
  companions: Companions,
): Promise<Omit<ExportedModel, 'out' | 'notes'>> {
  const ours = async (): Promise<'our own'> => {
    const { model, params, classNames, decision } = opened;
    const cut = decision === undefined ? {} : { decision };
    await saveModel(folder, { model, params, classNames, ...cut, companions });
    return 'our own';
  };
  const theirs = async (): Promise<'Hugging Face'> => {
    await exportHuggingFace(folder, { ...opened, companions });
    return 'Hugging Face';
  };
  switch (format) {
    case 'winnow':
      return { layout: await ours() };
    case 'hugging-face':
      return { layout: await theirs() };
    case 'safetensors':
      try {
        return { layout: await theirs() };
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        return { reason: error.message, layout: await ours() };
      }
    case 'onnx':
      return { layout: 'ONNX', ...(await writeOnnx(folder, opened, { ...onnx, whole: true }, companions)) };
    case 'pytorch':
      return { layout: 'PyTorch', files: await writePyTorch(folder, opened, companions) };
    default:
      return format satisfies never;
  }
}
