import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { denseConfigOf, familyOf } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';
import type { ProofJob } from '@winnow/onnx';
import { proofPage } from '@winnow/report';
import { companionsOf } from '../model-source/export-model';
import { type OpenedModel, digestOf } from '../model-source/open-model';
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
  /** The dense model, which is lent: both are timed in turn. */
  readonly against?: OpenedModel | undefined;
  readonly timedBatch: number;
  readonly rounds: number;
  /** The time that all rounds may take, in seconds, but for the fewest that say something; without it all are made. */
  readonly seconds?: number;
  readonly threads: number;
  /** The engine that runs, in words. */
  readonly engine: string;
  readonly leftOut?: Claim['leftOut'];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the ONNX files of a model into a folder, proves them, and writes certificate and page beside them, whether the proof holds or
 * not. An engine must be running.
 * @throws {InterruptedError} when the signal says so.
 * @throws {Error} when a file cannot be written, read or run.
 */
export async function certify(
  folder: string,
  asked: Certified,
): Promise<{ readonly certificate: Certificate; readonly failed: readonly CheckName[] }> {
  const { path, opened, precision, files, pictures, threads, leftOut, signal } = asked;
  const companions = await companionsOf(opened);
  if (files === undefined) {
    const { modelParts } = await import('@winnow/onnx');
    const calibration = await calibrationExamples(path, opened, modelParts(opened.model), asked);
    await writeOnnx(folder, opened, { ...asked, calibration }, companions);
  }
  const claim = {
    ...{ opened, companions, precision, folder: files ?? folder, pictures, threads, signal },
    ...(leftOut === undefined ? {} : { leftOut }),
  };
  const findings = await withDense(asked, (timing) =>
    proveFiles({ ...claim, ...(timing === undefined ? {} : { timing }) }),
  );
  const { against: dense } = asked;
  const against =
    dense === undefined
      ? null
      : { summary: summaryOf(dense), parametersSha256: await digestOf(dense.params) };
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

/** Lends the files of the dense model while the proof is made, where there is one. */
async function withDense<Result>(
  { against, timedBatch, rounds, seconds, precision, opset }: Certified,
  use: (timing: ProofJob['timing']) => Promise<Result>,
): Promise<Result> {
  if (against === undefined) return use(undefined);
  const { modelParts } = await import('@winnow/onnx');
  // What int8 gains is told against the dense model as it was.
  const own = precision === 'int8' ? 'f32' : precision;
  const folder = await mkdtemp(join(tmpdir(), 'winnow-dense-'));
  try {
    await writeOnnx(folder, against, { precision: own, opset }, {});
    const files = modelParts(against.model).map(
      ({ name }) => [name, join(folder, onnxFile(name, own))] as const,
    );
    const batchSizes = [...new Set([1, timedBatch])];
    const each = seconds === undefined ? {} : { seconds: seconds / (files.length * batchSizes.length) };
    return await use({ against: Object.fromEntries(files), batchSizes, rounds, ...each });
  } finally {
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
