import { otherEncoding } from '@winnow/core';
import { z } from 'zod';

/** A picture's labels and texts, from the files beside it. */
export interface Said {
  readonly label?: string | undefined;
  readonly caption?: string | undefined;
}

/** Files that say something of a picture: its class, its text, or both. */
export const sayingExtensions: ReadonlySet<string> = new Set(['cls', 'txt', 'json']);

/** Longest name of a class, in characters: longer ones are texts, which are for another task. */
const LONGEST_LABEL = 200;

const label = z
  .union([z.string(), z.int().transform(String)])
  .transform((text) => text.trim().normalize('NFC'))
  .pipe(z.string().min(1).max(LONGEST_LABEL));
const json = z.object({
  label: label.optional(),
  cls: label.optional(),
  caption: z.string().optional(),
  text: z.string().optional(),
});

/** Reads such a file; a text for what is wrong with it. */
export function saidIn(extension: string, content: Buffer): Said | string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return otherEncoding(content)?.found ?? 'bytes that are not UTF-8';
  }
  if (extension === 'txt') return { caption: text.trim() };
  if (extension === 'cls') {
    const found = label.safeParse(text);
    return found.success ? { label: found.data } : `no class of 1 to ${LONGEST_LABEL} characters`;
  }
  return inJson(text);
}

/** An object with `label` (or `cls`) and `caption` (or `text`); other keys are left alone. */
function inJson(text: string): Said | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'no JSON';
  }
  const found = json.safeParse(value);
  if (!found.success)
    return 'no object whose label is a short text or a whole number, and whose caption is a text';
  const { label: named, cls, caption, text: words } = found.data;
  const said = { label: named ?? cls, caption: caption ?? words };
  return {
    ...(said.label === undefined ? {} : { label: said.label }),
    ...(said.caption === undefined ? {} : { caption: said.caption.trim() }),
  };
}
