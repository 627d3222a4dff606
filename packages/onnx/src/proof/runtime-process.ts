import { proofFacts } from './facts';
import type { ProofJob } from './job';

// The program of the process in which ONNX Runtime reads and runs files for a proof.

// Ctrl-C reaches all processes of a terminal: whoever asked for the facts says when to stop.
process.on('SIGINT', () => undefined);
// Nobody waits for the facts any more, or they have been told.
process.once('disconnect', () => process.kill(process.pid));

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
