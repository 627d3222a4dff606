import { extname } from 'node:path';

/** A format of pictures, and whether Winnow decodes it. */
export interface PictureFormat {
  /** As people call it: 'JPEG'. */
  readonly name: string;
  readonly isRead: boolean;
}

/** So many bytes from the start of a file tell its format; SVG may have comments in front. */
export const HEAD_BYTES = 1024;

/** Names of files that are pictures which Winnow decodes, if their content is as their names say. */
export const readExtensions: ReadonlySet<string> = new Set([
  ...['.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'],
]);

/** Raw photographs are TIFF inside, and what a decoder of TIFF finds first in them is a thumbnail. */
const rawExtensions: ReadonlySet<string> = new Set([
  ...['.arw', '.cr2', '.cr3', '.dng', '.erf', '.nef', '.nrw', '.orf', '.pef', '.raf', '.rw2', '.srw'],
]);
/** Names of pictures all the same: leaving them out silently would change the dataset. Some have no signature. */
const otherExtensions: ReadonlySet<string> = new Set([
  ...['.bmp', '.dcm', '.dds', '.dib', '.eps', '.exr', '.hdr', '.heic', '.heif', '.ico', '.j2k', '.jp2'],
  ...['.jxl', '.pam', '.pbm', '.pcx', '.pfm', '.pgm', '.pnm', '.ppm', '.psd', '.qoi', '.sgi', '.svg'],
  ...['.svgz', '.tga', '.xcf'],
]);

const read = (name: string): PictureFormat => ({ name, isRead: true });
const foreign = (name: string): PictureFormat => ({ name, isRead: false });

/** Bytes at the start of files, by their format. */
const signatures: readonly { readonly bytes: readonly number[]; readonly format: PictureFormat }[] = [
  { bytes: [0xff, 0xd8, 0xff], format: read('JPEG') },
  { bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], format: read('PNG') },
  { bytes: [0x47, 0x49, 0x46, 0x38], format: read('GIF') },
  { bytes: [0x49, 0x49, 0x2a, 0x00], format: read('TIFF') },
  { bytes: [0x4d, 0x4d, 0x00, 0x2a], format: read('TIFF') },
  { bytes: [0x49, 0x49, 0x2b, 0x00], format: read('TIFF') },
  { bytes: [0x4d, 0x4d, 0x00, 0x2b], format: read('TIFF') },
  { bytes: [0xff, 0x0a], format: foreign('JPEG XL') },
  { bytes: [0x00, 0x00, 0x00, 0x0c, 0x4a, 0x58, 0x4c, 0x20], format: foreign('JPEG XL') },
  { bytes: [0x00, 0x00, 0x00, 0x0c, 0x6a, 0x50, 0x20, 0x20], format: foreign('JPEG 2000') },
  { bytes: [0xff, 0x4f, 0xff, 0x51], format: foreign('JPEG 2000') },
  { bytes: [0x38, 0x42, 0x50, 0x53], format: foreign('Photoshop') },
  { bytes: [0x76, 0x2f, 0x31, 0x01], format: foreign('OpenEXR') },
  { bytes: [0x71, 0x6f, 0x69, 0x66], format: foreign('QOI') },
  { bytes: [0x44, 0x44, 0x53, 0x20], format: foreign('DDS') },
  { bytes: [0x00, 0x00, 0x01, 0x00], format: foreign('ICO') },
  { bytes: [0x23, 0x3f, 0x52], format: foreign('Radiance HDR') },
];

/** Patterns of the first bytes as Latin-1 text, with the format of each. */
const patterns: readonly { readonly pattern: RegExp; readonly format: PictureFormat }[] = [
  { pattern: /^RIFF[\s\S]{4}WEBP/, format: read('WebP') },
  { pattern: /^BM[\s\S]{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0/, format: foreign('BMP') },
  { pattern: /^P[1-7FfH]\s+[#\dW-]/, format: foreign('PNM (PBM, PGM, PPM, PAM, PFM)') },
  { pattern: /^(?:\xef\xbb\xbf)?\s*<svg[\s>]/i, format: foreign('SVG') },
  {
    pattern: /^(?:\xef\xbb\xbf)?\s*<(?:\?xml|!--|!doctype\s+svg)[\s\S]*<(?:\w+:)?svg[\s>]/i,
    format: foreign('SVG'),
  },
  { pattern: /^[\s\S]{128}DICM/, format: foreign('DICOM') },
];

const HEIF_BRANDS = ['avif', 'avis', 'heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1'];

/** ISO/IEC 23008-12: a box 'ftyp' with the brand of the file and those that it is compatible with. */
function heifFormat(head: Buffer): PictureFormat | undefined {
  if (head.toString('latin1', 4, 8) !== 'ftyp') return undefined;
  const end = Math.min(head.readUInt32BE(0), head.byteLength);
  const brands = [head.toString('latin1', 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(head.toString('latin1', at, at + 4));
  if (brands.includes('avif') || brands.includes('avis')) return read('AVIF');
  return brands.some((brand) => HEIF_BRANDS.includes(brand)) ? foreign('HEIC') : undefined;
}

/** The format of a picture by the first {@link HEAD_BYTES} of its content; undefined for what is no picture known here. */
export function formatOf(content: Uint8Array): PictureFormat | undefined {
  const head = Buffer.from(content.buffer, content.byteOffset, Math.min(content.byteLength, HEAD_BYTES));
  const signed = signatures.find(({ bytes }) => bytes.every((byte, place) => head[place] === byte));
  if (signed !== undefined) return signed.format;
  const heif = heifFormat(head);
  if (heif !== undefined) return heif;
  const text = head.toString('latin1');
  return patterns.find(({ pattern }) => pattern.test(text))?.format;
}

/** The kind of file that a name lets one expect, whatever the file holds. */
export type NamedAs = 'read' | 'raw' | 'other' | undefined;

export function namedAs(path: string): NamedAs {
  const extension = extname(path).toLowerCase();
  if (readExtensions.has(extension)) return 'read';
  if (rawExtensions.has(extension)) return 'raw';
  return otherExtensions.has(extension) ? 'other' : undefined;
}
