import type { z } from 'zod';
import { type SnapshotStore, loadSnapshot, toJson } from './store';

/**
 * Plain data that are computed once in a run and read from the store afterwards. What is given back is always what the schema
 * reads of the JSON, so that a resumed run goes on with the same as one that was never killed.
 */
export async function onceIn<Found>(
  store: SnapshotStore,
  name: string,
  schema: z.ZodType<Found>,
  work: () => Found | Promise<Found>,
): Promise<Found> {
  const file = `once-${name}`;
  const saved = await loadSnapshot(store, file, schema);
  if (saved !== undefined) return saved.meta;
  const meta = toJson(await work());
  await store.save(file, { tensors: new Map(), meta });
  return schema.parse(meta);
}
