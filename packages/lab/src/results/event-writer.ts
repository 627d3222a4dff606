import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Metric, Metrics } from '../run-folder/metrics';
import { nextEventFile } from './event-name';
import { eventFile, scalarEvents, scalarsIn, scalarsInText } from './tensorboard';

/** Metrics that TensorBoard shows as they come. */
export interface ShownMetrics extends Metrics {
  close(): void;
}

/**
 * The same metrics, and an event file of them that grows with each. A file begins with all that was measured before: whoever reads the
 * folder forgets what earlier files said, so that a run that goes on, or measures something again, has every step once.
 * @param file Of the metrics: one JSON object per line.
 * @param note Told in a line when the events cannot be written; the run goes on without them.
 */
export function shownMetrics(
  metrics: Metrics,
  { file, logFolder, note }: { readonly file: string; readonly logFolder: string; note(line: string): void },
): ShownMetrics {
  let descriptor: number | undefined;
  let hasFailed = false;
  const close = () => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  const show = (metric: Metric) => {
    const now = Date.now() / 1000;
    if (descriptor !== undefined) {
      writeWhole(descriptor, scalarEvents(scalarsIn(metric), now));
      return;
    }
    mkdirSync(logFolder, { recursive: true });
    descriptor = openSync(nextEventFile(logFolder), 'wx');
    writeWhole(descriptor, eventFile(scalarsInText(file, readFileSync(file)), now));
  };
  return {
    append: (metric) => {
      metrics.append(metric);
      if (hasFailed) return;
      try {
        show(metric);
      } catch (error) {
        hasFailed = true;
        const reason = error instanceof Error ? error.message : String(error);
        note(`TensorBoard shows nothing from here on: cannot write to ${logFolder} (${reason})`);
      }
    },
    rewind: (phase, step) => {
      const hasForgotten = metrics.rewind(phase, step);
      if (hasForgotten) close();
      return hasForgotten;
    },
    close,
  };
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let begin = 0; begin < bytes.byteLength;) begin += writeSync(descriptor, bytes, begin);
}
