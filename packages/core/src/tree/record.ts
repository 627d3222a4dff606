/**
 * The same record with other values at some paths (`tower.blocks.3.hiddenDim`); the rest is shared with it.
 * @throws {RangeError} when there is no record or list at a path's way.
 */
export function withValues<Value extends object>(record: Value, values: ReadonlyMap<string, unknown>): Value {
  let changed: unknown = record;
  for (const [path, value] of values) changed = withValue(changed, path.split('.'), () => value, path);
  return changed as Value;
}

/**
 * The same record, in which of the list at a path only some entries are left.
 * @throws {RangeError} when there is no list at the path, or it has not all of them.
 */
export function withEntries<Value extends object>(
  record: Value,
  path: string,
  kept: readonly number[],
): Value {
  return withValue(record, path.split('.'), (list: unknown) => entriesAt(list, kept, path), path) as Value;
}

function entriesAt(list: unknown, kept: readonly number[], path: string): unknown[] {
  if (!Array.isArray(list)) throw new RangeError(`there is no list at ${path}`);
  return kept.map((index) => {
    if (index >= list.length) throw new RangeError(`${path} has ${list.length} entries, not entry ${index}`);
    return list[index] as unknown;
  });
}

function withValue(
  node: unknown,
  [key, ...rest]: readonly string[],
  change: (before: unknown) => unknown,
  path: string,
): unknown {
  if (key === undefined) return change(node);
  if (typeof node !== 'object' || node === null) throw new RangeError(`there is nothing at ${path}`);
  const record = node as Readonly<Record<string, unknown>>;
  const next = withValue(record[key], rest, change, path);
  if (Array.isArray(node)) return node.map((entry: unknown, index) => (String(index) === key ? next : entry));
  return { ...record, [key]: next };
}
