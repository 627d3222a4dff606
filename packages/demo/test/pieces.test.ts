import fc from 'fast-check';
import { packedAs, piecesOf } from '../src/index';

/** Unpacks the files that the scripts hand to the page. */
function unpacked(id: string, bytes: Uint8Array): { readonly paths: string[]; readonly all: Buffer } {
  const pieces = [...piecesOf(id, bytes)];
  const contents = pieces.map(({ text }) => {
    const [, base64 = ''] = /^winnowPiece\("([A-Za-z0-9+/=]*)"\);\n$/.exec(text) ?? [];
    return Buffer.from(base64, 'base64');
  });
  return { paths: pieces.map(({ path }) => path), all: Buffer.concat(contents) };
}

test('pieces put together are what was packed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { paths, all } = unpacked('some', bytes);
      expect(all.equals(Buffer.from(bytes))).toBe(true);
      expect(paths).toEqual(['data/some-0.js']);
    }),
    { numRuns: 30 },
  );
});

test('large files come in several pieces, and a view of a larger buffer is itself alone', () => {
  const buffer = new Uint8Array(13 * 2 ** 20).map((_, at) => (at * 31) % 251);
  const bytes = buffer.subarray(3, 2 ** 20 * 12 + 5);
  const { paths, all } = unpacked('model', bytes);
  expect(packedAs('model', bytes)).toEqual({ id: 'model', pieces: 3, bytes: bytes.length });
  expect(paths).toEqual(['data/model-0.js', 'data/model-1.js', 'data/model-2.js']);
  expect(all.equals(Buffer.from(bytes))).toBe(true);
});
