import type { CharacterSpan } from '../tokenizer/span-tokens';

/** A sentence without its marks, and where its phrases are. */
export interface EntitySentence {
  readonly text: string;
  readonly phrases: readonly { readonly entity: string; readonly span: CharacterSpan }[];
}

/** `[/EN#283585/people A young boy]` */
const PHRASE = /\[\/EN#(\d+)((?:\/[A-Za-z]+)+) ([^[\]]*)\]/g;

/**
 * Reads a sentence of Flickr30k Entities: "[/EN#1/people A boy] with [/EN#2/other a cup]".
 * @returns undefined for one whose brackets are none of phrases, or of phrases without words.
 */
export function entitySentence(line: string): EntitySentence | undefined {
  const phrases: { entity: string; span: CharacterSpan }[] = [];
  let [text, read] = ['', 0];
  for (const { 0: whole, 1: entity = '', 3: words = '', index } of line.matchAll(PHRASE)) {
    text += line.slice(read, index);
    if (words.trim() === '') return undefined;
    phrases.push({ entity, span: { start: text.length, end: text.length + words.length } });
    text += words;
    read = index + whole.length;
  }
  text += line.slice(read);
  return /[[\]]/.test(text) ? undefined : { text, phrases };
}
