import type { PackedFile } from './demo-data';

/** Bytes in a piece: its script is a third longer, and far below the longest text of any browser. */
const PIECE = 6 * 2 ** 20;

/** Says how bytes are packed. */
export const packedAs = (id: string, { length }: Uint8Array): PackedFile => ({
  id,
  pieces: Math.max(1, Math.ceil(length / PIECE)),
  bytes: length,
});

/** The path of a piece below the page. */
export const pieceFile = (id: string, piece: number): string => `data/${id}-${piece}.js`;

/** The scripts that hold some bytes, one after the other: each hands its piece to the page, in base64. */
export function* piecesOf(
  id: string,
  bytes: Uint8Array,
): Generator<{ readonly path: string; readonly text: string }> {
  for (let piece = 0; piece < packedAs(id, bytes).pieces; piece++) {
    const own = bytes.subarray(piece * PIECE, (piece + 1) * PIECE);
    const content = Buffer.from(own.buffer, own.byteOffset, own.byteLength).toString('base64');
    yield { path: pieceFile(id, piece), text: `winnowPiece(${JSON.stringify(content)});\n` };
  }
}
