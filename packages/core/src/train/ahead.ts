import { backend } from '@tensorflow/tfjs-core';
import type { BatchSource } from '../data/batches';

/** An engine that can upload numbers while its device still computes; a tensor made of the same array then finds them there. */
interface StagingBackend {
  readonly stages: boolean;
  /** Gives what lets go of the numbers where no tensor was made of them. */
  stage(values: Float32Array): () => void;
}

/** Arrays smaller than this are uploaded in less time than it takes to think about it. */
const WORTH_STAGING = 1 << 14;

/** The batches of a training: where the engine uploads beside what it computes, each while the step before it runs. */
export interface BatchesAhead<Batch> {
  at(step: number): Promise<Batch>;
  /** Uploads the batch of a step, if it has come already. */
  prepare(step: number): Promise<void>;
  /** Lets go of what was uploaded and has not been used. */
  release(): void;
}

/** @param engineOf Gives the engine that computes. */
export function batchesAhead<Batch>(
  batches: BatchSource<Batch>,
  steps: number,
  engineOf: () => unknown = backend,
): BatchesAhead<Batch> {
  let upcoming: { readonly step: number; readonly batch: Promise<Batch> } | undefined;
  let releases: readonly (() => void)[] = [];
  const release = (): void => {
    for (const each of releases) each();
    releases = [];
  };
  return {
    at: (step) => (upcoming?.step === step ? upcoming.batch : batches.at(step)),
    prepare: async (step) => {
      release();
      const engine = engineOf();
      if (step >= steps || !isStaging(engine)) return;
      const batch = batches.at(step);
      upcoming = { step, batch };
      // A batch that fails says so when its step asks for it.
      const arrived = await Promise.race([batch.catch(() => undefined), turnOfEventLoop()]);
      releases = arraysOf(arrived).map((values) => engine.stage(values));
    },
    release,
  };
}

function isStaging(engine: unknown): engine is StagingBackend {
  return typeof engine === 'object' && engine !== null && 'stages' in engine && engine.stages === true;
}

const turnOfEventLoop = (): Promise<undefined> => new Promise((resolve) => setImmediate(resolve, undefined));

/** The large arrays of a batch: its pictures. */
function arraysOf(batch: unknown): Float32Array[] {
  if (typeof batch !== 'object' || batch === null) return [];
  return Object.values(batch).filter(
    (each: unknown): each is Float32Array => each instanceof Float32Array && each.length >= WORTH_STAGING,
  );
}
