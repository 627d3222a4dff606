import sharp from 'sharp';
import { visible } from '@winnow/core';
import { CHANNELS, type Picture } from '../picture/picture';
import { pictureReader } from '../picture/read';
import { classColour } from '../segmented/whole-pictures';

/** A box and what is said of it. */
export interface DrawnBox {
  /** Left, top, right and bottom, in shares of the picture's sides. */
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  readonly label: string;
  /** Boxes of the same number have the same colour. */
  readonly colour: number;
  /** A dashed frame, for what is only to be compared with: default false. */
  readonly isDashed?: boolean;
}

/** A picture with boxes on it, and its size. */
export interface DrawnPicture {
  readonly width: number;
  readonly height: number;
  readonly png: Buffer;
  /** With the picture in it. */
  readonly svg: string;
}

const entities = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);
const escaped = (text: string): string =>
  visible(text).replace(/[&<>"]/g, (sign) => entities.get(sign) ?? sign);

/** Shorter pictures are drawn enlarged: a label on 64 pixels could not be read. */
const LEAST_SIDE = 480;
const MOST_ENLARGED = 8;

/** Frames and labels alone, of W × H. */
function frames(boxes: readonly DrawnBox[], width: number, height: number): string {
  const line = Math.max(2, Math.round(Math.min(width, height) / 160));
  const font = Math.max(12, Math.round(Math.min(width, height) / 28));
  return boxes
    .map(({ box: [left, top, right, bottom], label, colour, isDashed = false }) => {
      const [x, y] = [left * width, top * height];
      const [across, down] = [Math.max(1, (right - left) * width), Math.max(1, (bottom - top) * height)];
      const paint = `rgb(${classColour(colour).join(',')})`;
      const text = escaped(label);
      const plate = Math.min(width, text.length * font * 0.58 + font * 0.6);
      const at = Math.min(x, width - plate);
      const up = y >= font * 1.4 ? y - font * 1.4 : y;
      const dashes = isDashed ? ` stroke-dasharray="${3 * line} ${2 * line}"` : '';
      return [
        `<rect x="${x}" y="${y}" width="${across}" height="${down}" fill="none" stroke="${paint}" stroke-width="${line}"${dashes}/>`,
        `<rect x="${at}" y="${up}" width="${plate}" height="${font * 1.4}" fill="${paint}"/>`,
        `<text x="${at + font * 0.3}" y="${up + font}" font-family="sans-serif" font-size="${font}" fill="#ffffff">${text}</text>`,
      ].join('');
    })
    .join('');
}

const svgOf = (width: number, height: number, content: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${content}</svg>`;

/**
 * Draws boxes and their labels onto a picture: as PNG and as SVG, both with the picture, a small one enlarged.
 * @param path The picture's file.
 * @throws {DataError} when it is no complete picture.
 */
export async function drawnBoxes(path: string, boxes: readonly DrawnBox[]): Promise<DrawnPicture> {
  const found: Picture[] = [];
  await pictureReader().readWhole(path, (picture) => {
    found.push(picture);
    return picture;
  });
  const [picture] = found;
  if (picture === undefined) throw new RangeError(`expected a picture in ${path}`);
  const times = Math.min(
    MOST_ENLARGED,
    Math.max(1, Math.ceil(LEAST_SIDE / Math.min(picture.width, picture.height))),
  );
  const [width, height] = [times * picture.width, times * picture.height];
  const enlarged = await sharp(picture.pixels, {
    raw: { width: picture.width, height: picture.height, channels: CHANNELS },
  })
    .resize(width, height, { kernel: 'nearest' })
    .png()
    .toBuffer();
  const drawn = frames(boxes, width, height);
  const png = await sharp(enlarged)
    .composite([{ input: Buffer.from(svgOf(width, height, drawn)) }])
    .png()
    .toBuffer();
  const image = `<image width="${width}" height="${height}" href="data:image/png;base64,${enlarged.toString('base64')}"/>`;
  return {
    width: picture.width,
    height: picture.height,
    png,
    svg: svgOf(width, height, image + drawn),
  };
}
