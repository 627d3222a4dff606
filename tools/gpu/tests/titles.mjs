import { format, inspect } from 'node:util';

/** A row's own name: printf's letters take its values in turn, $key and $key.key those of an object. */
export function titleOf(template, row, index) {
  const values = Array.isArray(row) ? [...row] : [row];
  const named = template.replaceAll(/\$([a-zA-Z_][\w.]*)/g, (whole, path) => {
    const value = path.split('.').reduce((from, key) => from?.[key], values[0]);
    return value === undefined ? whole : String(value);
  });
  return named.replaceAll(/%([sdifjopc#%])/g, (_, letter) => {
    if (letter === '%') return '%';
    if (letter === '#') return String(index);
    const value = values.shift();
    return letter === 'p' ? inspect(value) : format(`%${letter}`, value);
  });
}
