/** Everything in a tar archive begins at a multiple of this, in bytes. */
export const BLOCK = 512;

/** The kinds of entries in a tar archive (POSIX.1-1988 ustar, with the types of POSIX.1-2001 pax and of GNU tar). */
export type TarKind =
  | 'file'
  | 'folder'
  /** Keys and values for the next entry, or for all that follow. */
  | 'extended'
  | 'extended for all'
  /** The name of the next entry, where it does not fit into its header. */
  | 'long name';

export interface TarHeader {
  readonly kind: TarKind;
  readonly name: string;
  /** Bytes of what follows. */
  readonly bytes: number;
}

const kinds: Readonly<Record<string, TarKind>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '5': 'folder',
  x: 'extended',
  g: 'extended for all',
  L: 'long name',
};

/** Types that are refused, as people are told. */
const refused: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '6': 'a pipe',
  K: 'a link with a long target',
  S: 'a sparse file',
  M: 'the second part of a file of several archives',
  D: "a folder's listing",
  V: 'a label of the archive',
};

/** Whether a block is of nothing but zeros: two of them end an archive. */
export const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0);

/** A header, or what is wrong with it in words. */
export function tarHeader(block: Buffer): TarHeader | string {
  const stated = octal(block.subarray(148, 156));
  let sum = 8 * 32; // the checksum itself counts as spaces
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  if (stated !== sum) return 'a header whose checksum is wrong';
  const type = block.toString('latin1', 156, 157);
  const isUstar = block.toString('latin1', 257, 262) === 'ustar';
  const prefix = isUstar && block[262] === 0 ? textOf(block.subarray(345, 500)) : '';
  const ending = textOf(block.subarray(0, 100));
  if (prefix === undefined || ending === undefined) return 'a name that is not UTF-8';
  const name = prefix === '' ? ending : `${prefix}/${ending}`;
  const kind = kinds[type];
  if (kind === undefined)
    return `${refused[type] ?? `an entry of the unknown type ${JSON.stringify(type)}`}, ${name}`;
  const bytes = sizeIn(block.subarray(124, 136));
  if (bytes === undefined) return `a size that is no number, of ${name}`;
  // Archives of before 1988 have folders as files whose names end with a slash.
  return { kind: kind === 'file' && name.endsWith('/') ? 'folder' : kind, name, bytes };
}

/** Text up to the first NUL; undefined when it is not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch {
    return undefined;
  }
}

function octal(field: Buffer): number | undefined {
  const digits = field.toString('latin1').replaceAll('\0', ' ').trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** Octal digits, or GNU's base 256 behind a first bit of one. */
function sizeIn(field: Buffer): number | undefined {
  const [first = 0] = field;
  if ((first & 0x80) === 0) return octal(field);
  if (first !== 0x80) return undefined; // negative, or above 2^88
  let size = 0;
  for (const byte of field.subarray(1)) size = size * 256 + byte;
  return Number.isSafeInteger(size) ? size : undefined;
}
