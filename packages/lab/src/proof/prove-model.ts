import { cpus, tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { UserError, denseConfigOf, disposeTree, familyOf, parseOptions, segmenterFamily } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';
import type { ProofJob } from '@winnow/onnx';
import { proofPage } from '@winnow/report';
import { z } from 'zod';
import type { HubWatch } from '../hub/snapshot';
import { companionsOf } from '../model-source/export-model';
import { pinnedModel } from '../model-source/hub-model';
import { type OpenedModel, digestOf, openModel } from '../model-source/open-model';
import { writeWhole } from '../model-source/write-whole';
import { ONNX_OPSETS, type OnnxPrecision, onnxFile, onnxPrecisions } from '../onnx/precision';
import { writeOnnx } from '../onnx/write-onnx';
import type { GivenOptions, OptionGroup } from '../options/group';
import { pathOption } from '../options/path';
import { engineShape } from '../options/training';
import { startChosen } from '../run/engine';
import { namesIn } from '../run-folder/output-folder';
import { version } from '../version';
import { CERTIFICATE_FILE, CERTIFICATE_PAGE, type Certificate, certificateSchema } from './certificate';
import type { CheckName } from './check';
import { type Findings, proveFiles } from './prove-files';
import { calibrationCount, calibrationPictures, realPictures } from './real-pictures';

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
  const { out, precision, files } = options;
  if (out === undefined) throw new UserError('prove: say with --out where the certificate should go');
  if ((await namesIn(out)).length > 0)
    throw new UserError(`${out} is not empty: choose another folder with --out`);
  const path = await pinnedModel(named, watch);
  const { note = () => undefined } = watch;
  const started = await startChosen(
    { ...options, precision: 'f32', threads: undefined, device: undefined },
    note,
  );
  const opened = await openModel(path);
  try {
    const { modelParts } = await import('@winnow/onnx');
    const companions = await companionsOf(opened);
    const parts = modelParts(opened.model);
    if (parts.some(({ inputs }) => inputs.length !== 1))
      throw new UserError(
        `prove: a ${denseConfigOf(opened.model).kind} takes pictures and texts together: it can be exported, but not proved`,
      );
    if (segmenterFamily.is(denseConfigOf(opened.model)))
      throw new UserError(
        'prove: a segmenter has products of matrices that have no weights: it can be exported, but not proved',
      );
    const [part] = parts;
    const pictures = await realPictures(path, opened, part, options);
    const threads = options.threads ?? cpus().length;
    return await writeWhole(out, async (folder) => {
      if (files === undefined) {
        const calibration = await calibrationPictures(path, opened, part, options);
        await writeOnnx(folder, opened, { ...options, calibration }, companions);
      }
      const claim = { opened, companions, precision, folder: files ?? folder, pictures, threads };
      const { findings, against } = await withDense(options, watch, async (timing, dense) => ({
        findings: await proveFiles({ ...claim, ...(timing === undefined ? {} : { timing }) }),
        against:
          dense === undefined
            ? null
            : { summary: summaryOf(dense), parametersSha256: await digestOf(dense.params) },
      }));
      const certificate = await certificateOf(findings, {
        opened,
        precision,
        against,
        threads,
        engine: started.description.split(';')[0] ?? started.name,
        folder: files ?? folder,
      });
      await writeAtomically(join(folder, CERTIFICATE_FILE), `${JSON.stringify(certificate, undefined, 2)}\n`);
      await writeAtomically(join(folder, CERTIFICATE_PAGE), proofPage(certificate));
      const failed = findings.checks.flatMap(({ name, verdict }) => (verdict === 'fails' ? [name] : []));
      return { certificate, failed, out, notes: opened.notes };
    });
  } finally {
    disposeTree(opened.params);
  }
}

const summaryOf = ({ model }: OpenedModel): string => {
  const config = denseConfigOf(model);
  return familyOf(config).summary(config);
};

type ProofOptions = z.output<typeof proofOptions>;

/** Lends the files of the dense model while the proof is made, where one was named. */
async function withDense<Result>(
  { against, timedBatch, rounds, precision, opset }: ProofOptions,
  watch: HubWatch,
  use: (timing: ProofJob['timing'], dense?: OpenedModel) => Promise<Result>,
): Promise<Result> {
  if (against === undefined) return use(undefined);
  const { modelParts } = await import('@winnow/onnx');
  const dense = await openModel(await pinnedModel(against, watch));
  // What int8 gains is told against the dense model as it was.
  const own = precision === 'int8' ? 'f32' : precision;
  const folder = await mkdtemp(join(tmpdir(), 'winnow-dense-'));
  try {
    await writeOnnx(folder, dense, { precision: own, opset }, {});
    const files = modelParts(dense.model).map(
      ({ name }) => [name, join(folder, onnxFile(name, own))] as const,
    );
    return await use(
      { against: Object.fromEntries(files), batchSizes: [...new Set([1, timedBatch])], rounds },
      dense,
    );
  } finally {
    disposeTree(dense.params);
    await rm(folder, { recursive: true, force: true });
  }
}

async function certificateOf(
  { checks, counts, facts, fixed, agreement, timings }: Findings,
  {
    opened,
    precision,
    against,
    threads,
    engine,
    folder,
  }: {
    readonly opened: OpenedModel;
    readonly precision: OnnxPrecision;
    readonly against: Certificate['against'];
    readonly threads: number;
    readonly engine: string;
    readonly folder: string;
  },
): Promise<Certificate> {
  return certificateSchema.parse({
    format: 1,
    verdict: checks.some(({ verdict }) => verdict === 'fails') ? 'failed' : 'proven',
    checks,
    model: {
      family: denseConfigOf(opened.model).kind,
      summary: summaryOf(opened),
      precision,
      parametersSha256: await digestOf(opened.params),
    },
    against,
    files: facts.parts.map(({ path, sha256, bytes, opset, operators }) => ({
      path: relative(folder, path).replaceAll('\\', '/'),
      sha256,
      bytes,
      opset,
      operators,
    })),
    counts,
    fixed,
    agreement: agreement ?? null,
    timings,
    environment: {
      winnow: version(),
      node: process.versions.node,
      onnxRuntime: facts.runtime,
      engine,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      threads,
    },
  });
}
