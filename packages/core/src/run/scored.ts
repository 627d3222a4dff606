import { z } from 'zod';
import type { Scores } from '../task/task';
import type { Runner } from './phase';
import { loadSnapshot, toJson } from './store';

const scoresSchema: z.ZodType<Scores> = z.record(z.string(), z.number());

/** Scores that are computed once in a run and read from the store afterwards. */
export async function scoredOnce(
  { store, report }: Pick<Runner, 'store' | 'report'>,
  name: string,
  compute: () => Promise<Scores>,
): Promise<Scores> {
  const saved = await loadSnapshot(store, name, scoresSchema);
  if (saved !== undefined) return saved.meta;
  const scores = await compute();
  await store.save(name, { tensors: new Map(), meta: toJson(scores) });
  report({ kind: 'scores', phase: name, step: 0, scores });
  return scores;
}
