/** First bytes of a file whose text is in another of Unicode's encodings; the longer marks first. */
const marks: readonly (readonly [encoding: string, bytes: readonly number[]])[] = [
  ['UTF-32', [0xff, 0xfe, 0x00, 0x00]],
  ['UTF-32', [0x00, 0x00, 0xfe, 0xff]],
  ['UTF-16', [0xff, 0xfe]],
  ['UTF-16', [0xfe, 0xff]],
];

/** Words on a text that is in another encoding than UTF-8, for messages. */
export interface OtherEncoding {
  readonly found: string;
  readonly advice: string;
}

/**
 * Tells by its first bytes that a text is in another of Unicode's encodings than UTF-8, as editors on Windows save it. Files of
 * ours begin with two letters or signs of ASCII, which are two bytes each in UTF-16.
 */
export function otherEncoding(bytes: Uint8Array): OtherEncoding | undefined {
  const marked = marks.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte));
  if (marked !== undefined) return { found: `${marked[0]} (its byte order mark)`, advice: advice(marked[0]) };
  if (bytes[0] !== 0 && bytes[1] !== 0) return undefined;
  return { found: 'UTF-16 without a byte order mark, or no text at all', advice: advice('UTF-16LE') };
}

const advice = (encoding: string): string =>
  `Save the file as UTF-8, for example with iconv -f ${encoding} -t UTF-8.`;
