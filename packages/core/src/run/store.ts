import { z } from 'zod';

import type { HostTensors } from '../tree/host';

/** Plain data that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A moment of a run: tensors by name, and plain data beside them. */
export interface Snapshot {
  readonly tensors: HostTensors;
  readonly meta: Json;
}

/** Keeps snapshots by name. Saving is atomic: after a crash at any point, `load` gives the old or the new one, whole. */
export interface SnapshotStore {
  load(name: string): Promise<Snapshot | undefined>;
  save(name: string, snapshot: Snapshot): Promise<void>;
  remove(name: string): Promise<void>;
}

const jsonSchema: z.ZodType<Json> = z.json();

/** JSON with sorted keys: the same values, in any order, are the same text. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The JSON of a plain value: drops what JSON cannot hold. */
export function toJson(value: unknown): Json {
  return jsonSchema.parse(JSON.parse(JSON.stringify(value)));
}
