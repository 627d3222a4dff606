import type { Cell, Relation } from './relations';

/**
 * A table as CSV (RFC 4180), with a heading. A spreadsheet takes a text that begins with =, +, - or @ for a formula: an
 * apostrophe before it makes it text there too. Numbers stay as they are, also where they are written in a text.
 */
export function csvOf({ columns, lines }: Relation): string {
  const names = Object.keys(columns);
  return [names, ...lines.map((line) => names.map((name) => line[name] ?? null))]
    .map((cells) => `${cells.map(field).join(',')}\r\n`)
    .join('');
}

function field(cell: Cell): string {
  const text = typeof cell === 'string' ? asText(cell) : cell === null ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const asText = (text: string): string =>
  /^[\s\p{Cc}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/u.test(text) && !isNumber.test(text) ? `'${text}` : text;

const isNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?%?$/i;
