import { type Duration, InterruptedError, type Runner, stepsIn } from '@winnow/core';
import { type EventLog, type Progress, eventSink } from '../progress/progress';
import { processMemory } from '../environment/memory';
import { shownMetrics } from '../results/event-writer';
import type { Metrics } from '../run-folder/metrics';
import type { RunFolder } from '../run-folder/run-folder';
import { resumeCommand } from '../run-folder/resume-command';

/** The run was stopped by the user; it can go on. */
export class RunStoppedError extends Error {
  readonly exitCode = 130;

  constructor(command: string) {
    super(`stopped; everything so far is saved. Go on with: ${command}`);
    this.name = 'RunStoppedError';
  }
}

export interface SessionOptions {
  /** Aborted when the user asks to stop. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly checkpointEvery: Duration;
  readonly stepsPerEpoch: number;
  /** Where TensorBoard looks for what is measured, if it does. */
  readonly logFolder: string | undefined;
}

/**
 * Does the work of a run, with checkpoints, metrics and progress, and lets go of its folder.
 * @throws {RunStoppedError} when the user asked to stop and the run is saved.
 */
export async function inSession<Result>(
  run: RunFolder,
  { signal, progress, checkpointEvery, stepsPerEpoch, logFolder }: SessionOptions,
  work: (runner: Runner) => Promise<Result>,
): Promise<Result> {
  const note = (line: string) => {
    progress.note(line);
  };
  const shown =
    logFolder === undefined
      ? undefined
      : shownMetrics(run.metrics, { file: run.metricsFile, logFolder, note });
  try {
    return await work({
      store: run.store,
      checkpointEvery: Math.max(1, stepsIn(checkpointEvery, stepsPerEpoch)),
      signal,
      memory: processMemory(),
      report: eventSink(progress, metricsLog(shown ?? run.metrics)),
    });
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    throw new RunStoppedError(resumeCommand(run.record.command, run.folder));
  } finally {
    shown?.close();
    progress.close();
    run.lock.release();
  }
}

function metricsLog(metrics: Metrics): EventLog {
  return (event, imagesPerSecond) => {
    switch (event.kind) {
      case 'phase':
        metrics.rewind(event.phase, event.from);
        break;
      case 'scoring':
        metrics.rewind(event.phase, -1);
        break;
      case 'step': {
        const { phase, step, loss, learningRate } = event;
        const rate = learningRate === undefined ? {} : { learningRate };
        metrics.append({ phase, step, loss, ...rate, imagesPerSecond: Number(imagesPerSecond.toFixed(1)) });
        break;
      }
      case 'scores':
        metrics.append({ phase: event.phase, step: event.step, scores: { ...event.scores } });
        break;
      case 'checkpoint':
      case 'note':
        break;
      default:
        event satisfies never;
    }
  };
}
