import { visible } from '@winnow/core';

/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

type Part = string | number | Html | readonly Part[];

/** A template whose values are escaped, unless they are HTML themselves. */
export function html(texts: TemplateStringsArray, ...values: readonly Part[]): Html {
  return { html: texts.map((text, place) => text + textOf(values[place] ?? '')).join('') };
}

function textOf(part: Part): string {
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return isHtml(part) ? part.html : part.map(textOf).join('');
}

const isHtml = (part: Html | readonly Part[]): part is Html => 'html' in part;

const entities = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);
const escaped = (text: string): string =>
  visible(text).replace(/[&<>"']/g, (sign) => entities.get(sign) ?? sign);

/** Data that a script of the page reads; a text in it cannot end the script, and shows what is in it. */
export const jsonScript = (id: string, value: unknown): Html => ({
  html: `<script type="application/json" id="${escaped(id)}">${JSON.stringify(value, shown).replaceAll('<', '\\u003c')}</script>`,
});

const shown = (_key: string, value: unknown): unknown => (typeof value === 'string' ? visible(value) : value);
