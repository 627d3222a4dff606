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
  report({ kind: 'scoring', phase: name });
  const scores = await compute();
  const meta = toJson(scores);
  // Before they are saved: a run that is killed in between reports them again, one killed after it never would.
  report({ kind: 'scores', phase: name, step: 0, scores });
  await store.save(name, { tensors: new Map(), meta });
  return scores;
}
