import { createHash } from 'node:crypto';
import { type Json, canonicalJson } from '@winnow/core';

const LENGTH = 8;

/** A short name for option values: the same values, in any order, have the same. */
export function hashOf(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, LENGTH);
}
