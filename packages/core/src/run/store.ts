import { z } from 'zod';

import { UserError } from '../error/user-error';
import { nonFiniteTensor } from '../tree/finite';
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
  /** Where a snapshot lies, for errors. By default its name says enough. */
  whereIs?(name: string): string;
}

/** A snapshot whose plain data have been checked. */
export interface LoadedSnapshot<Meta> {
  readonly tensors: HostTensors;
  readonly meta: Meta;
}

/**
 * Loads a snapshot of this run, if there is one.
 * @throws {UserError} naming the snapshot, when its plain data are not what this run saves there, or a tensor of it holds
 * NaN or infinity: nothing could go on from there.
 */
export async function loadSnapshot<Meta>(
  store: SnapshotStore,
  name: string,
  schema: z.ZodType<Meta>,
): Promise<LoadedSnapshot<Meta> | undefined> {
  const saved = await store.load(name);
  if (saved === undefined) return undefined;
  const fault = nonFiniteTensor(saved.tensors);
  if (fault !== undefined) throw otherSnapshot(store, name, fault);
  const { success, data, error } = schema.safeParse(saved.meta);
  if (success) return { tensors: saved.tensors, meta: data };
  const [problem] = error.issues;
  const place = problem === undefined || problem.path.length === 0 ? 'its data' : problem.path.join('.');
  throw otherSnapshot(store, name, `${place}: ${problem?.message ?? ''}`);
}

/**
 * Takes over the tensors of a snapshot.
 * @throws {UserError} naming the snapshot, when they are others than this run has.
 */
export function restored<Result>(store: SnapshotStore, name: string, restore: () => Result): Result {
  try {
    return restore();
  } catch (error) {
    if (error instanceof RangeError) throw otherSnapshot(store, name, error.message);
    throw error;
  }
}

/**
 * Saves a snapshot, unless it would be of no use.
 * @throws {UserError} naming the tensor that holds NaN or infinity; what was saved before stays.
 */
export async function saveSnapshot(store: SnapshotStore, name: string, snapshot: Snapshot): Promise<void> {
  const fault = nonFiniteTensor(snapshot.tensors);
  if (fault === undefined) return store.save(name, snapshot);
  throw new UserError(
    `${fault}, so ${store.whereIs?.(name) ?? name} is not saved: lower the learning rate or clip the gradients`,
  );
}

const otherSnapshot = (store: SnapshotStore, name: string, reason: string): UserError =>
  new UserError(
    `${store.whereIs?.(name) ?? name}: not a checkpoint that this run can go on from (${reason}): remove it to compute it again`,
  );

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

/**
 * The JSON of a plain value; fields that are undefined are left out.
 * @throws {UserError} naming the place of a number that is none (NaN or infinite): JSON would turn it into null.
 */
export function toJson(value: unknown): Json {
  const fault = nonFiniteIn(value);
  if (fault !== undefined) throw new UserError(`cannot be saved: ${fault}, where a number was expected`);
  return jsonSchema.parse(JSON.parse(JSON.stringify(value)));
}

/** The first number in plain data that is NaN or infinite, as `scores.loss is NaN`; undefined where there is none. */
export function nonFiniteIn(value: unknown, place = ''): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value))
    return `${place === '' ? 'it' : place} is ${value}`;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = nonFiniteIn(inner, place === '' ? key : `${place}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
