import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { denseConfigOf, disposeTree, familyOf } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';
import type { ProofJob } from '@winnow/onnx';
import { proofPage } from '@winnow/report';
import type { HubWatch } from '../hub/snapshot';
import { companionsOf } from '../model-source/export-model';
import { pinnedModel } from '../model-source/hub-model';
import { type OpenedModel, digestOf, openModel } from '../model-source/open-model';
import { type OnnxPrecision, onnxFile } from '../onnx/precision';
import { writeOnnx } from '../onnx/write-onnx';
import { version } from '../version';
import { calibrationExamples } from './calibration';
import { CERTIFICATE_FILE, CERTIFICATE_PAGE, type Certificate, certificateSchema } from './certificate';
import type { CheckName } from './check';
import { type Claim, type Findings, proveFiles } from './prove-files';
import type { RealPictures } from './real-pictures';

/** An open model that is to be proved, and the ways to do it. */
export interface Certified {
  /** The model's path, of which its data are known. */
  readonly path: string;
  readonly opened: OpenedModel;
  readonly precision: OnnxPrecision;
  readonly opset: number;
  /** A folder of files that were exported before; without it new ones are written. */
  readonly files?: string | undefined;
  readonly data?: string | undefined;
  readonly calibration?: number | undefined;
  readonly pictures: RealPictures;
  /** The dense model: both are timed in turn. */
  readonly against?: string | undefined;
  readonly timedBatch: number;
  readonly rounds: number;
  readonly threads: number;
  /** The engine that runs, in words. */
  readonly engine: string;
  readonly leftOut?: Claim['leftOut'];
}

/**
 * Writes the ONNX files of a model into a folder, proves them, and writes certificate and page beside them, whether the proof holds or
 * not. An engine must be running.
 * @throws {Error} when a file cannot be written, read or run.
 */
export async function certify(
  folder: string,
  asked: Certified,
  watch: HubWatch = {},
): Promise<{ readonly certificate: Certificate; readonly failed: readonly CheckName[] }> {
  const { path, opened, precision, files, pictures, threads, leftOut } = asked;
  const companions = await companionsOf(opened);
  if (files === undefined) {
    const { modelParts } = await import('@winnow/onnx');
    const calibration = await calibrationExamples(path, opened, modelParts(opened.model), asked);
    await writeOnnx(folder, opened, { ...asked, calibration }, companions);
  }
  const claim = {
    ...{ opened, companions, precision, folder: files ?? folder, pictures, threads },
    ...(leftOut === undefined ? {} : { leftOut }),
  };
  const { findings, against } = await withDense(asked, watch, async (timing, dense) => ({
    findings: await proveFiles({ ...claim, ...(timing === undefined ? {} : { timing }) }),
    against:
      dense === undefined
        ? null
        : { summary: summaryOf(dense), parametersSha256: await digestOf(dense.params) },
  }));
  const certificate = await certificateOf(findings, { ...asked, against, folder: files ?? folder });
  await writeAtomically(join(folder, CERTIFICATE_FILE), `${JSON.stringify(certificate, undefined, 2)}\n`);
  await writeAtomically(join(folder, CERTIFICATE_PAGE), proofPage(certificate));
  const failed = findings.checks.flatMap(({ name, verdict }) => (verdict === 'fails' ? [name] : []));
  return { certificate, failed };
}

const summaryOf = ({ model }: OpenedModel): string => {
  const config = denseConfigOf(model);
  return familyOf(config).summary(config);
};

/** Lends the files of the dense model while the proof is made, where one was named. */
async function withDense<Result>(
  { against, timedBatch, rounds, precision, opset }: Certified,
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
  }: Pick<Certified, 'opened' | 'precision' | 'threads' | 'engine'> & {
    readonly against: Certificate['against'];
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
