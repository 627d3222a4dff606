import { stat } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { UserError, disposeTree, parseOptions } from '@winnow/core';
import type { ModelPart } from '@winnow/onnx';
import { z } from 'zod';
import type { HubWatch } from '../hub/snapshot';
import { pinnedModel } from '../model-source/hub-model';
import { openModel } from '../model-source/open-model';
import { writeWhole } from '../model-source/write-whole';
import { ONNX_OPSETS, type OnnxPrecision, onnxFile, onnxPrecisions } from '../onnx/precision';
import type { GivenOptions, OptionGroup } from '../options/group';
import { pathOption } from '../options/path';
import { engineShape } from '../options/training';
import { startChosen } from '../run/engine';
import { namesIn } from '../run-folder/output-folder';
import { calibrationCount, refuseIdleCalibration } from './calibration';
import type { Certificate } from './certificate';
import { certify } from './certify';
import type { CheckName } from './check';
import { realPictures } from './real-pictures';

const proofOptions = z.object({
  against: pathOption('model').optional().describe('The dense model: both are timed in turn'),
  data: pathOption('dataset')
    .optional()
    .describe(
      'Real pictures to ask about: a dataset by name, or a folder or a table; default: the data of the run',
    ),
  pictures: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(200)
    .describe('How many of them, of the test split; 0 for none'),
  precision: z.enum(onnxPrecisions).default('f32').describe('The numbers of the ONNX files'),
  calibration: calibrationCount.optional(),
  opset: z
    .int()
    .min(ONNX_OPSETS.first)
    .max(ONNX_OPSETS.last)
    .default(ONNX_OPSETS.first)
    .describe('The operators of the ONNX files'),
  files: pathOption('model')
    .optional()
    .describe('A folder of ONNX files that was exported before: it is proved in place of new ones'),
  timedBatch: z
    .int()
    .min(1)
    .max(1024)
    .default(32)
    .describe('Size of the larger batch that is timed; the other is 1'),
  rounds: z.int().min(1).max(1000).default(21).describe('How often each file is timed, by turns'),
  threads: z.int().min(1).max(1024).optional().describe('Threads of ONNX Runtime; default: as many as cores'),
  engine: engineShape.engine,
  out: pathOption('output').min(1).optional().describe('The folder to write files, certificate and page to'),
});

/** The options of a proof. */
export const proofGroup = { title: 'Options of prove', schema: proofOptions } as const satisfies OptionGroup;

/** A proof that was written, whether it holds or not. */
export interface Proof {
  readonly certificate: Certificate;
  /** The parts that fail. */
  readonly failed: readonly CheckName[];
  readonly out: string;
  readonly notes: readonly string[];
}

/**
 * Writes a model as ONNX files and proves that they are the model: certificate and page beside them tell what was found.
 * @param named A run, a model folder or a checkpoint, or a model of the Hub.
 * @param given Options of `proofGroup`; `out` must be among them.
 * @throws {UserError} when there is no model, the folder is taken, or the dense model is of another kind.
 */
export async function proveModel(
  named: string,
  given: GivenOptions,
  watch: HubWatch & { readonly note?: (line: string) => void } = {},
): Promise<Proof> {
  const options = parseOptions(proofOptions, given, proofGroup.title);
  const { out, precision, calibration, files } = options;
  if (out === undefined) throw new UserError('prove: say with --out where the certificate should go');
  refuseIdleCalibration(precision, { calibration });
  if (files !== undefined && calibration !== undefined)
    throw new UserError('--calibration has no use with --files, whose ranges are chosen: leave it out');
  refuseIdleTiming(given);
  if ((await namesIn(out)).length > 0)
    throw new UserError(`${out} is not empty: choose another folder with --out`);
  const path = await pinnedModel(named, watch);
  const besidePath = options.against === undefined ? undefined : await pinnedModel(options.against, watch);
  const { note = () => undefined } = watch;
  const started = await startChosen(
    { ...options, precision: 'f32', threads: undefined, device: undefined },
    note,
  );
  const opened = await openModel(path);
  try {
    const { modelParts } = await import('@winnow/onnx');
    const parts = modelParts(opened.model);
    if (files !== undefined) await checkFiles(files, parts, precision);
    const against = besidePath === undefined ? undefined : await openModel(besidePath);
    try {
      const asked = {
        ...options,
        ...{ path, opened, against, threads: options.threads ?? cpus().length, signal: watch.signal },
        pictures: await realPictures(path, opened, parts, options),
        engine: started.description.split(';')[0] ?? started.name,
      };
      return await writeWhole(out, async (folder) => {
        const { certificate, failed } = await certify(folder, asked);
        return { certificate, failed, out, notes: opened.notes };
      });
    } finally {
      if (against !== undefined) disposeTree(against.params);
    }
  } finally {
    disposeTree(opened.params);
  }
}

/** @throws {UserError} for choices of how to time two models where there is one. */
function refuseIdleTiming({ against, rounds, timedBatch }: GivenOptions): void {
  if (against !== undefined) return;
  const idle = [
    ...(rounds === undefined ? [] : ['--rounds']),
    ...(timedBatch === undefined ? [] : ['--timed-batch']),
  ];
  if (idle.length > 0)
    throw new UserError(
      `${idle.join(' and ')} ${idle.length === 1 ? 'is' : 'are'} about times beside those of a dense model, and none is named: say which with --against, or leave ${idle.length === 1 ? 'it' : 'them'} out`,
    );
}

/** @throws {UserError} when a folder lacks one of a model's files. */
async function checkFiles(
  folder: string,
  parts: readonly ModelPart[],
  precision: OnnxPrecision,
): Promise<void> {
  const missing: string[] = [];
  for (const { name } of parts) {
    const file = onnxFile(name, precision);
    const there = await stat(join(folder, file)).catch(() => undefined);
    if (there?.isFile() !== true) missing.push(file);
  }
  if (missing.length > 0)
    throw new UserError(
      `--files: expected the files of winnow export --format onnx in ${folder}, got no ${missing.join(', ')}: export them first, or say their --precision, which is taken to be ${precision}`,
    );
}
