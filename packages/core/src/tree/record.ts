/**
 * The same record with other values at some paths (`tower.blocks.3.hiddenDim`); the rest is shared with it.
 * @throws {RangeError} when there is no record or list at a path's way.
 */
export function withValues<Value extends object>(record: Value, values: ReadonlyMap<string, unknown>): Value {
  let changed: unknown = record;
  for (const [path, value] of values) changed = withValue(changed, path.split('.'), value, path);
  return changed as Value;
}

function withValue(node: unknown, [key, ...rest]: readonly string[], value: unknown, path: string): unknown {
  if (key === undefined) return value;
  if (typeof node !== 'object' || node === null) throw new RangeError(`there is nothing at ${path}`);
  const record = node as Readonly<Record<string, unknown>>;
  const next = withValue(record[key], rest, value, path);
  if (Array.isArray(node)) return node.map((entry: unknown, index) => (String(index) === key ? next : entry));
  return { ...record, [key]: next };
}
