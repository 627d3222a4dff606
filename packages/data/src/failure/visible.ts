/** Signs that cannot be seen or that change how others are shown: controls, formats, unusual spaces. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** A name as it is if it can be read at sight; otherwise in quotes, with codes for the signs that cannot be seen. */
export function visibly(name: string): string {
  const seen = name.replace(UNSEEN, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
  return seen === name && name.trim() === name ? name : `'${seen}'`;
}
