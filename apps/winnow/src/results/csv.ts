import type { Cell, Relation } from './relations';

/** A table as CSV (RFC 4180), with a heading. */
export function csvOf({ columns, lines }: Relation): string {
  const names = Object.keys(columns);
  return [names, ...lines.map((line) => names.map((name) => line[name] ?? null))]
    .map((cells) => `${cells.map(field).join(',')}\r\n`)
    .join('');
}

function field(cell: Cell): string {
  const text = cell === null ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
