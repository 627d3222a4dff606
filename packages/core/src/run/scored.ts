import { z } from 'zod';
import type { Scores } from '../task/task';
import type { Runner } from './phase';

/** Scores that are computed once in a run and read from the store afterwards. */
export async function scoredOnce(
  { store, report }: Pick<Runner, 'store' | 'report'>,
  name: string,
  compute: () => Promise<Scores>,
): Promise<Scores> {
  const saved = await store.load(name);
  if (saved !== undefined) return z.record(z.string(), z.number()).parse(saved.meta);
  const scores = await compute();
  await store.save(name, { tensors: new Map(), meta: { ...scores } });
  report({ kind: 'scores', phase: name, step: 0, scores });
  return scores;
}
