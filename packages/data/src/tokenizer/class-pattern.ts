/** Signs that mean something in a pattern, and stand for themselves with a backslash. */
const ESCAPED = /^[\\^$.*+?()[\]{}|/\-#&~!"%',:;<=>@_`]$/u;
const QUANTIFIER = /^(?:\+|\{(\d{1,2}),\})?$/;
/** `\s` of Oniguruma; JavaScript's is another set. */
const SPACE = '\\p{White_Space}';

const literal = (sign: string): string => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`;

/**
 * A pattern of Oniguruma, the engine of Hugging Face's tokenizers, as one of JavaScript: a character, `\s`, or a class of characters in
 * brackets, once, `+` or `{2,}` times. It takes time in proportion to the text. Undefined for anything else.
 */
export function classPattern(source: string): RegExp | undefined {
  const signs = [...source];
  let at = 0;
  /** One character or `\s`, in brackets or outside. */
  const atom = (forbidden: string): string | undefined => {
    const sign = signs[at++];
    if (sign === undefined) return undefined;
    if (sign !== '\\') return forbidden.includes(sign) ? undefined : literal(sign);
    const escaped = signs[at++];
    if (escaped === 's') return SPACE;
    return escaped !== undefined && ESCAPED.test(escaped) ? literal(escaped) : undefined;
  };
  const inBrackets = (): string | undefined => {
    at++;
    const found: string[] = [];
    while (signs[at] !== ']') {
      if (signs[at] === '&' && signs[at + 1] === '&') return undefined;
      const one = atom('[]^-');
      if (one === undefined) return undefined;
      found.push(one);
    }
    at++;
    return found.length === 0 ? undefined : found.join('');
  };
  const found = signs[0] === '[' ? inBrackets() : atom('^$.*+?()[]{}|');
  const quantifier = signs.slice(at).join('');
  const match = QUANTIFIER.exec(quantifier);
  if (found === undefined || match === null) return undefined;
  return new RegExp(`[${found}]${quantifier}`, 'gu');
}
