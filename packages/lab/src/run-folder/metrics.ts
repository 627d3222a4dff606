import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Json, UserError } from '@winnow/core';
import { z } from 'zod';
import { APPEND, isOwnFile } from './own-file';

/** One line of `metrics.jsonl`. */
export type Metric = { readonly phase: string; readonly step: number } & Readonly<Record<string, Json>>;

/** The measurements of a run, one JSON object per line. */
export interface Metrics {
  /** @throws {UserError} when the line cannot be written. */
  append(metric: Metric): void;
  /**
   * Forgets what a phase measured after a step: the resumed run measures it again.
   * @returns whether there was something.
   */
  rewind(phase: string, step: number): boolean;
}

/** JSON has no word for numbers that are none: they stand as text. */
const spelled = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

const line = z.looseObject({ phase: z.string(), step: z.number() });

export function metricsFile(file: string, append: (file: string, text: string) => void = appendTo): Metrics {
  return {
    append: (metric) => {
      try {
        append(file, `${JSON.stringify(metric, spelled)}\n`);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new UserError(
          `cannot write ${file} (${reason}). The last checkpoint is whole: make room, then go on with --resume.`,
        );
      }
    },
    rewind: (phase, step) => {
      if (!isOwnFile(file)) return false;
      const text = readFileSync(file, 'utf8');
      const kept = text
        .split('\n')
        .filter((candidate) => {
          const metric = parsed(candidate);
          return metric !== undefined && !(metric.phase === phase && metric.step > step);
        })
        .map((candidate) => `${candidate}\n`)
        .join('');
      if (kept === text) return false;
      rmSync(`${file}.tmp`, { force: true, recursive: true });
      writeFileSync(`${file}.tmp`, kept, { flag: 'wx' });
      renameSync(`${file}.tmp`, file);
      return true;
    },
  };
}

function appendTo(file: string, text: string): void {
  const descriptor = openSync(file, APPEND);
  try {
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

/** A line that a crash cut short is none. */
function parsed(candidate: string): z.output<typeof line> | undefined {
  try {
    return line.safeParse(JSON.parse(candidate)).data;
  } catch {
    return undefined;
  }
}
