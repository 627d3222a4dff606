import { crc32, deflateSync } from 'node:zlib';

/** Numbers of pixels, and how they are written: filters of the lines are taken in turn. */
export interface IndexPicture {
  readonly width: number;
  readonly height: number;
  readonly depth: 1 | 2 | 4 | 8;
  readonly palette: boolean;
  readonly labels: readonly number[];
  readonly filters: readonly number[];
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function predictedBy(filter: number, left: number, above: number, corner: number): number {
  const near = (own: number) => Math.abs(left + above - corner - own);
  const paeth =
    near(left) <= near(above) && near(left) <= near(corner)
      ? left
      : near(above) <= near(corner)
        ? above
        : corner;
  return [0, left, above, Math.floor((left + above) / 2), paeth][filter] ?? 0;
}

/** Writes a PNG of indices, line by line from the definition of the format. */
export function writtenPng(
  { width, height, depth, palette, labels, filters }: IndexPicture,
  interlaced = 0,
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, palette ? 3 : 0, 0, 0, interlaced], 8);
  const stride = Math.ceil((width * depth) / 8);
  const rows = Array.from({ length: height }, (_, y) => {
    const bytes = new Array<number>(stride).fill(0);
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const place = Math.floor(bit / 8);
      bytes[place] = (bytes[place] ?? 0) | ((labels[y * width + x] ?? 0) << (8 - depth - (bit % 8)));
    }
    return bytes;
  });
  const lines = rows.flatMap((row, y) => {
    const filter = filters[y % filters.length] ?? 0;
    const filtered = row.map((byte, i) => {
      const above = rows[y - 1];
      const guess = predictedBy(filter, row[i - 1] ?? 0, above?.[i] ?? 0, i > 0 ? (above?.[i - 1] ?? 0) : 0);
      return (byte - guess) & 255;
    });
    return [filter, ...filtered];
  });
  const colours = Buffer.from(Array.from({ length: 2 ** depth * 3 }, (_, i) => (i * 37) % 256));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...(palette ? [chunk('PLTE', colours)] : []),
    chunk('IDAT', deflateSync(Buffer.from(lines))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
