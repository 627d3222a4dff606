import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { readLines } from '../src/file/read-lines';
import { temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();

async function linesOf(content: string | Uint8Array): Promise<[string, number][]> {
  const path = join(await temporary('lines'), 'lines.txt');
  await writeFile(path, content);
  const found: [string, number][] = [];
  await readLines(path, 'lines', (line, number) => found.push([line, number]));
  return found;
}

test('lines are those of the text, whatever they end with', async () => {
  const text = fc.array(
    fc.string({ unit: 'grapheme' }).map((line) => line.replace(/[\r\n\uFEFF]/g, '')),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  await fc.assert(
    fc.asyncProperty(text, fc.constantFrom('\n', '\r\n'), async (lines, end) => {
      const found = await linesOf(`${lines.join(end)}${end}`);
      expect(found).toEqual(lines.map((line, index) => [line, index + 1]));
    }),
    { numRuns: 25 },
  );
  expect(await linesOf('')).toEqual([]);
  expect(await linesOf('\uFEFFone\n\ntwo')).toEqual([
    ['one', 1],
    ['', 2],
    ['two', 3],
  ]);
});

test('a line that begins in one piece of the file and ends in another is whole', async () => {
  const long = 'ö'.repeat(700_000); // 1.4 MB, of which a piece has 1 MiB
  expect(await linesOf(`one\n${long}\nthree\n`)).toEqual([
    ['one', 1],
    [long, 2],
    ['three', 3],
  ]);
});

test('other bytes and lines without an end are refused, and so is what the reader refuses', async () => {
  await expect(linesOf(Uint8Array.of(0x61, 0x0a, 0xff, 0x0a))).rejects.toThrow(/other bytes on line 2/);
  await expect(linesOf('a'.repeat(17 * 1024 ** 2))).rejects.toThrow(/a line 1 without an end/);
  const path = join(await temporary('lines'), 'lines.txt');
  await writeFile(path, 'one\ntwo\nthree\n');
  const refuse = (line: string): void => {
    if (line === 'two') throw new RangeError('no two');
  };
  await expect(readLines(path, 'lines', refuse)).rejects.toThrow('no two');
  await expect(readLines(`${path}.not`, 'lines', refuse)).rejects.toThrow(/lines in/);
});
