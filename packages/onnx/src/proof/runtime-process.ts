import { proofFacts } from './facts';
import type { ProofJob } from './job';

// The program of the process in which ONNX Runtime reads and runs files for a proof.

process.once('message', (job: ProofJob) => {
  void proofFacts(job)
    .then((facts) => ({ kind: 'facts', facts }) as const)
    .catch(
      (error: unknown) =>
        ({ kind: 'failure', message: error instanceof Error ? error.message : String(error) }) as const,
    )
    .then((reply) => {
      process.send?.(reply, () => {
        process.disconnect();
      });
    });
});
