const MOST_TEXTS_REMEMBERED = 65_536;
/** Longer graphemes, in bytes, are looked up character by character. */
const LONGEST_GRAPHEME = 5;

/** A unit of a double array (Yata's darts-clone): 32 bits. */
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const valueOf = (unit: number): number => unit & 0x7fffffff;
const labelOf = (unit: number): number => (unit & 0x800000ff) >>> 0;
const offsetOf = (unit: number): number => ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;

/**
 * The normaliser in a SentencePiece model, a trie of what is replaced and the texts that replace it: its size in bytes
 * (uint32, little endian), its units, and UTF-8 with a NUL after every text. As Hugging Face's `Precompiled`: a grapheme of up to five
 * bytes becomes what the shortest key at its beginning becomes; of longer ones, and of those without a key, every character does for itself.
 * SentencePiece itself takes the longest key at each place, so that halfwidth katakana with a mark come out otherwise there.
 * @throws {RangeError} when it is damaged.
 */
export function charsmapNormaliser(bytes: Uint8Array): (text: string) => string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.byteLength < 4 ? -1 : view.getUint32(0, true);
  if (size < 4 || size % 4 !== 0 || size > bytes.byteLength - 4)
    throw new RangeError('a precompiled_charsmap without its trie');
  const units = Uint32Array.from({ length: size / 4 }, (_, index) => view.getUint32(4 + 4 * index, true));
  const replacements = bytes.subarray(4 + size);
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(replacements);
  } catch (cause) {
    throw new RangeError('a precompiled_charsmap whose texts are not UTF-8', { cause });
  }
  const utf8 = new TextEncoder();
  const decoder = new TextDecoder();

  const replacementAt = (start: number): string | undefined => {
    if (start >= replacements.length) return undefined;
    const end = replacements.indexOf(0, start);
    return decoder.decode(replacements.subarray(start, end === -1 ? undefined : end));
  };
  const replacementOf = (key: Uint8Array): string | undefined => {
    let place = offsetOf(units[0] ?? 0);
    for (const byte of key) {
      if (byte === 0) return undefined;
      place = (place ^ byte) >>> 0;
      const unit = units[place];
      if (unit === undefined || labelOf(unit) !== byte) return undefined;
      place = (place ^ offsetOf(unit)) >>> 0;
      if (hasLeaf(unit)) return replacementAt(valueOf(units[place] ?? 0x7fffffff));
    }
    return undefined;
  };

  const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
  const remembered = new Map<string, string>();
  const normalised = (grapheme: string): string => {
    const known = remembered.get(grapheme);
    if (known !== undefined) return known;
    const key = utf8.encode(grapheme);
    const whole = key.length <= LONGEST_GRAPHEME ? replacementOf(key) : undefined;
    const found = whole ?? Array.from(grapheme, (sign) => replacementOf(utf8.encode(sign)) ?? sign).join('');
    if (remembered.size < MOST_TEXTS_REMEMBERED) remembered.set(grapheme, found);
    return found;
  };
  return (text) => Array.from(graphemes.segment(text), ({ segment }) => normalised(segment)).join('');
}
