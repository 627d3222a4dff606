/**
 * Characters that a reader would not see, but a terminal or a page would obey: controls (line breaks and tabs apart),
 * which escape sequences begin with, signs that turn the direction of writing, separators of lines and paragraphs, and
 * signs of no width.
 */
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\u200B\u2060\uFEFF]/gu;

/** A text that shows what is in it, with what cannot be seen as `\u001b`. What JSON says stays the same. */
export const visible = (text: string): string => text.replace(UNSEEN, escaped);

/** A name that stays on its line. */
export const visibleName = (name: string): string => visible(name).replace(/[\n\t]/g, escaped);

const escaped = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * A text without the passwords of the addresses in it: `redis://user:***@host`. An address ends at a space, its password
 * at the last @.
 */
export const withoutPasswords = (text: string): string =>
  text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s]*@/gi, '$1:***@')
    .replace(/([?&][\w-]*pass[\w-]*=)[^&\s"']*/gi, '$1***');
