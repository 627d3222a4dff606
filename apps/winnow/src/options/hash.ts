import { createHash } from 'node:crypto';
import type { Json } from '@winnow/core';

const LENGTH = 8;

/** A short name for option values: the same values, in any order, have the same. */
export function hashOf(value: Json): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, LENGTH);
}

/** JSON with sorted keys. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
