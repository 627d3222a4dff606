/** Paths of records: keys with dots between them, `blocks.3.attention`; empty for the record itself. */
export const joinPath = (path: string, key: string): string =>
  path === '' || key === '' ? path + key : `${path}.${key}`;

/** The key at which something stands in its record. */
export const lastKey = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/** The rest of a path after that of a record that it stands in; `undefined` where it does not stand in it. */
export function pathWithin(record: string, path: string): string | undefined {
  if (record === '') return path;
  return path.startsWith(`${record}.`) ? path.slice(record.length + 1) : undefined;
}
