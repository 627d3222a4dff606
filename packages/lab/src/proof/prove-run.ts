import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError, disposeTree } from '@winnow/core';
import { makeFolder } from '@winnow/formats';
import type { ModelPart } from '@winnow/onnx';
import { type OpenedModel, openModel } from '../model-source/open-model';
import { ONNX_OPSETS } from '../onnx/precision';
import type { RunProof } from '../options/proof';
import type { RunFolder } from '../run-folder/run-folder';
import { PROOF_FOLDER } from '../run-folder/proof-folder';
import { CERTIFICATE_FILE, CERTIFICATE_PAGE, type ProofOfRun } from './certificate';
import { certify } from './certify';
import type { CheckName } from './check';
import { realPictures } from './real-pictures';

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
const TIMED_BATCH = 32;
const LEFT = 'a quick proof leaves it out: --prove full, or winnow prove';

/**
 * Proves in ONNX Runtime that the model that a run has saved is what its files say, in a folder of the run. An engine must be running.
 * A model that nothing can be said of in ONNX is none the worse for it.
 * @param dense The dense model's path.
 * @returns undefined where no proof was asked for.
 * @throws {ProofFailedError} naming the parts that fail; certificate and files stay.
 */
export async function proveRun(
  { folder, modelFolder, record }: Pick<RunFolder, 'folder' | 'modelFolder' | 'record'>,
  prove: RunProof,
  dense: string,
): Promise<ProofOfRun | undefined> {
  if (prove === 'none') return undefined;
  const { hasRuntime } = await import('@winnow/onnx');
  if (!hasRuntime()) return { none: 'ONNX Runtime is not installed here' };
  const opened = await openModel(modelFolder);
  try {
    const expressible = await expressedIn(opened);
    if (expressible.kind === 'not') return { none: expressible.why };
    const own = join(folder, PROOF_FOLDER);
    await rm(own, { recursive: true, force: true }); // of a process that was killed
    await makeFolder(own);
    const isFull = prove === 'full';
    const options = { pictures: PICTURES };
    const { certificate, failed } = await certify(own, {
      ...{ path: folder, opened, precision: 'f32', opset: ONNX_OPSETS.first },
      pictures: isFull ? await realPictures(folder, opened, expressible.parts, options) : { why: LEFT },
      ...(isFull ? { against: dense } : {}),
      ...{ timedBatch: TIMED_BATCH, rounds: ROUNDS, threads: record.threads ?? 1 },
      engine: record.engine,
      leftOut: { ...(isFull ? {} : { latency: LEFT }), ...roughAnswers(record.precision) },
    });
    if (failed.length > 0) throw new ProofFailedError(failed, own);
    const those = (verdict: 'holds' | 'left out') =>
      certificate.checks.flatMap((check) => (check.verdict === verdict ? [check.name] : []));
    return { page: join(PROOF_FOLDER, CERTIFICATE_PAGE), holds: those('holds'), leftOut: those('left out') };
  } finally {
    disposeTree(opened.params);
  }
}

/** The parts of a model, once all of it was said in ONNX; or why it cannot be. */
async function expressedIn(
  opened: Pick<OpenedModel, 'model'>,
): Promise<
  | { readonly kind: 'all'; readonly parts: readonly ModelPart[] }
  | { readonly kind: 'not'; readonly why: string }
> {
  const { modelParts, partGraph } = await import('@winnow/onnx');
  try {
    const parts = modelParts(opened.model);
    for (const part of parts) partGraph(part, {});
    return { kind: 'all', parts };
  } catch (error) {
    // A family may have operations that nobody has said in ONNX yet: its models are none the worse for it. Other errors are ours.
    if (error instanceof UserError) return { kind: 'not', why: error.message };
    throw error;
  }
}

/** Answers of an engine that rounds its operands say little about those of files that do not. */
const roughAnswers = (precision: string) =>
  precision === 'f32'
    ? {}
    : {
        outputs: `the engine computed in ${precision}: winnow prove compares answers in f32`,
        agreement: `the engine computed in ${precision}: winnow prove compares answers in f32`,
      };
