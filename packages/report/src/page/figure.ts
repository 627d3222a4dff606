import type { Json } from '@winnow/core';

/** Numbers of some names at some places. */
export interface Figure {
  readonly title: string;
  /** Lines where places follow each other, bars where they stand side by side. */
  readonly kind: 'line' | 'bar';
  readonly places: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

type Entry = Readonly<Record<string, Json>>;

/** Keys that count something on: what stands at them is drawn as lines. */
const counters = ['epoch', 'step', 'round', 'iteration'];

/**
 * The figures that plain data suggest: a list of records with numbers is one, with the records as places; a record of
 * records with numbers is one, and so is a record of numbers. What has no numbers is left out.
 */
export function figuresOf(findings: Json): Figure[] {
  if (!isEntry(findings)) return [];
  return Object.entries(findings).flatMap(([key, value]) => {
    const title = wordsOf(key);
    if (Array.isArray(value)) return fromRows(title, value.filter(isEntry));
    if (!isEntry(value)) return [];
    const inner = Object.entries(value).flatMap(([name, each]): [string, Entry][] =>
      isEntry(each) ? [[name, each]] : [],
    );
    if (inner.length > 0) {
      return figure(
        title,
        'bar',
        inner.map(([name]) => wordsOf(name)),
        inner.map(([, each]) => each),
      );
    }
    return figure(title, 'bar', [''], [value]);
  });
}

function fromRows(title: string, rows: readonly Entry[]): Figure[] {
  const counter = counters.find(
    (key) => rows.length > 0 && rows.every((row) => typeof row[key] === 'number'),
  );
  if (counter !== undefined) {
    const without = rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([key]) => key !== counter)),
    );
    return figure(
      title,
      'line',
      rows.map((row) => String(row[counter])),
      without,
    );
  }
  // A record is called by its words; its id alone, if it has one.
  const names = rows.map((row, place) => {
    const words = Object.values(row).filter((value) => typeof value === 'string');
    return typeof row['id'] === 'string' ? row['id'] : words.join(' ') || String(place + 1);
  });
  const ordinals = ['layer', 'id'];
  const numbers = rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([key]) => !ordinals.includes(key))),
  );
  return figure(title, 'bar', names, numbers);
}

function figure(
  title: string,
  kind: Figure['kind'],
  places: readonly string[],
  rows: readonly Entry[],
): Figure[] {
  const flat = rows.map((row) => flatten(row));
  const names = [...new Set(flat.flatMap((row) => [...row.keys()]))];
  if (names.length === 0) return [];
  return [
    {
      title,
      kind,
      places,
      series: names.map((name) => ({ name, values: flat.map((row) => row.get(name) ?? null) })),
    },
  ];
}

/** The numbers of a record, nested ones under joined names. */
function flatten(entry: Entry, prefix = ''): Map<string, number> {
  return new Map(
    Object.entries(entry).flatMap(([key, value]): [string, number][] => {
      const name = prefix + wordsOf(key);
      if (typeof value === 'number') return [[name, value]];
      return isEntry(value) ? [...flatten(value, `${name}, `)] : [];
    }),
  );
}

const isEntry = (value: Json): value is Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `acrossLayers` → `across layers`. */
const wordsOf = (key: string): string => key.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
