import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError, disposeTree } from '@winnow/core';
import { DataError } from '@winnow/data';
import { makeFolder } from '@winnow/formats';
import type { ModelPart } from '@winnow/onnx';
import { type OpenedModel, openModel } from '../model-source/open-model';
import { ONNX_OPSETS } from '../onnx/precision';
import type { RunProof } from '../options/proof';
import { startChosen } from '../run/engine';
import { PROOF_FOLDER } from '../run-folder/proof-folder';
import type { RunFolder } from '../run-folder/run-folder';
import { CERTIFICATE_FILE, CERTIFICATE_PAGE, type ProofOfRun } from './certificate';
import { certify } from './certify';
import type { CheckName } from './check';
import { type RealPictures, realPictures } from './real-pictures';

/** A proof that does not hold is no mistake of the user's: the model in the files is another. */
export class ProofFailedError extends Error {
  readonly exitCode = 1;
  override readonly name = 'ProofFailedError';

  constructor(failed: readonly CheckName[], folder: string) {
    super(`the proof fails (${failed.join(', ')}): ${join(folder, CERTIFICATE_FILE)} says why`);
  }
}

const PICTURES = 200;
const ROUNDS = 21;
/** The time that rounds may take: a compression takes longer than its proof. */
const SECONDS = 60;
const TIMED_BATCH = 32;
const LEFT = 'a quick proof leaves it out: --prove full, or winnow prove';

/** The run whose model is proved. */
export type ProvedRun = Pick<RunFolder, 'folder' | 'modelFolder' | 'record'>;

/**
 * Proves in ONNX Runtime that the model that a run has saved is what its files say, in a folder of the run. The engine of the run must
 * be running; for the proof it computes in float32. A model that nothing can be said of in ONNX is none the worse for it.
 * @param saveDense Writes the dense model, as it was compressed, into a folder.
 * @returns undefined where no proof was asked for.
 * @throws {ProofFailedError} naming the parts that fail; certificate and files stay.
 * @throws {InterruptedError} when the signal says so.
 */
export async function proveRun(
  run: ProvedRun,
  prove: RunProof,
  saveDense: (folder: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<ProofOfRun | undefined> {
  if (prove === 'none') return undefined;
  const { hasRuntime } = await import('@winnow/onnx');
  if (!hasRuntime()) return { none: 'ONNX Runtime is not installed here' };
  const own = join(run.folder, PROOF_FOLDER);
  await rm(own, { recursive: true, force: true }); // of a process that was killed
  await makeFolder(own);
  const { record } = run;
  // Answers of an engine that rounds its operands say little about those of files that do not.
  const { description } = await startChosen({ ...record, precision: 'f32' }, () => undefined);
  try {
    return prove === 'quick'
      ? await proveIn(own, run, description, { signal })
      : await withDense(join(own, DENSE_FOLDER), saveDense, (dense) =>
          proveIn(own, run, description, { dense, signal }),
        );
  } finally {
    await startChosen(record, () => undefined);
  }
}

/** It is there only while a proof is made. */
const DENSE_FOLDER = 'dense';

async function withDense<Result>(
  folder: string,
  save: (folder: string) => Promise<void>,
  use: (dense: OpenedModel) => Promise<Result>,
): Promise<Result> {
  try {
    await save(folder);
    const dense = await openModel(folder);
    try {
      return await use(dense);
    } finally {
      disposeTree(dense.params);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param dense Without it the proof is a quick one. */
async function proveIn(
  own: string,
  { folder, modelFolder, record }: ProvedRun,
  engine: string,
  { dense, signal }: { readonly dense?: OpenedModel; readonly signal?: AbortSignal | undefined },
): Promise<ProofOfRun> {
  const opened = await openModel(modelFolder);
  try {
    const expressible = await expressedIn(opened);
    if (expressible.kind === 'not') return { none: expressible.why };
    const beside = dense === undefined ? ({ kind: 'not', why: LEFT } as const) : await expressedIn(dense);
    const { certificate, failed } = await certify(own, {
      ...{ path: folder, opened, precision: 'f32', opset: ONNX_OPSETS.first, engine, signal },
      pictures:
        dense === undefined ? { why: LEFT } : await picturesIfThere(folder, opened, expressible.parts),
      ...(beside.kind === 'all' ? { against: dense } : { leftOut: { latency: beside.why } }),
      ...{ timedBatch: TIMED_BATCH, rounds: ROUNDS, seconds: SECONDS, threads: record.threads ?? 1 },
    });
    if (failed.length > 0) throw new ProofFailedError(failed, own);
    const those = (verdict: 'holds' | 'left out') =>
      certificate.checks.flatMap((check) => (check.verdict === verdict ? [check.name] : []));
    return {
      page: join(PROOF_FOLDER, CERTIFICATE_PAGE),
      ...{ holds: those('holds'), leftOut: those('left out') },
    };
  } finally {
    disposeTree(opened.params);
  }
}

/** The pictures of a run. Data that cannot be read again, since the search began, are no fault of the model's. */
async function picturesIfThere(
  folder: string,
  opened: OpenedModel,
  parts: readonly ModelPart[],
): Promise<RealPictures> {
  try {
    return await realPictures(folder, opened, parts, { pictures: PICTURES });
  } catch (error) {
    if (error instanceof UserError || error instanceof DataError) return { why: error.message };
    throw error;
  }
}

/** The parts of a model, once all of it was said in ONNX; or why it cannot be. */
async function expressedIn(
  opened: Pick<OpenedModel, 'model'>,
): Promise<
  | { readonly kind: 'all'; readonly parts: readonly ModelPart[] }
  | { readonly kind: 'not'; readonly why: string }
> {
  const { checkSize, modelParts, partGraph } = await import('@winnow/onnx');
  try {
    const parts = modelParts(opened.model);
    for (const part of parts) checkSize(partGraph(part, {}));
    return { kind: 'all', parts };
  } catch (error) {
    // A family may have operations that nobody has said in ONNX yet, or be too large for a file: its models are none the worse for it.
    // Other errors are ours.
    if (error instanceof UserError) return { kind: 'not', why: error.message };
    throw error;
  }
}
