import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { DataError } from '../src/index';
import { type TarMember, eachTarMember } from '../src/shard/tar-members';
import { type WrittenEntry, extendedLine, tar } from './pictures/tar';
import { temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();
let folder: string;
beforeAll(async () => {
  folder = await temporary('archives');
});

interface Found extends TarMember {
  readonly content: string;
}

const membersOf = async (archive: Uint8Array): Promise<Found[]> => {
  const path = join(folder, 'one.tar');
  await writeFile(path, archive);
  const found: Found[] = [];
  await eachTarMember(path, async (member, read) => {
    const content = await read(member.start, Math.min(member.bytes, 2 ** 20));
    found.push({ ...member, content: content.toString('hex') });
  });
  return found;
};

const entry = fc.record({
  name: fc.stringMatching(/^[a-z0-9]{1,20}(\/[a-z0-9]{1,20}){0,2}\.[a-z]{1,4}$/),
  content: fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)),
});
const entries = fc.array(entry, { maxLength: 6 });

test('files are found where they lie, with what is in them', async () => {
  await fc.assert(
    fc.asyncProperty(entries, fc.integer({ min: 2, max: 30 }), async (written, end) => {
      const archive = tar(written, end);
      const found = await membersOf(archive);
      expect(found.map(({ name, content }) => [name, content])).toEqual(
        written.map(({ name, content }) => [name, content.toString('hex')]),
      );
      for (const { start, bytes, content } of found)
        expect(archive.subarray(start, start + bytes).toString('hex')).toBe(content);
    }),
  );
});

test('an archive that is cut off anywhere is refused by its name', async () => {
  await fc.assert(
    fc.asyncProperty(entries, fc.nat(), async (written, place) => {
      const archive = tar(written);
      await expect(membersOf(archive.subarray(0, place % archive.byteLength))).rejects.toThrow(
        /a tar archive of plain files in .*one\.tar, but found .*truncated/s,
      );
    }),
  );
});

test('whatever a byte is changed to, an archive is read or refused', async () => {
  await fc.assert(
    fc.asyncProperty(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), async (written, place, change) => {
      const archive = tar(written);
      const at = place % archive.byteLength;
      archive[at] = (archive[at] ?? 0) ^ change;
      try {
        const names = new Set(written.map(({ name }) => name));
        for (const { name } of await membersOf(archive)) expect(names.has(name)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }),
  );
});

const LONG = `${'a'.repeat(120)}/${'b'.repeat(60)}.jpg`;

test('long names are read, as each program writes them', async () => {
  const content = Buffer.from('pixels');
  const ways: readonly (readonly WrittenEntry[])[] = [
    [
      { name: 'header', type: 'x', content: extendedLine('path', LONG) },
      { name: LONG.slice(0, 99), content },
    ],
    [
      { name: '././@LongLink', type: 'L', content: Buffer.from(`${LONG}\0`) },
      { name: LONG.slice(0, 99), content },
    ],
    [{ name: `${'b'.repeat(60)}.jpg`, prefix: 'a'.repeat(120), content }],
  ];
  for (const way of ways) expect((await membersOf(tar(way))).map(({ name }) => name)).toEqual([LONG]);
  const harmless = Buffer.concat([extendedLine('mtime', '1700000000.25'), extendedLine('comment', 'é')]);
  const beside: WrittenEntry[] = [
    { name: 'all', type: 'g', content: extendedLine('comment', 'a commit') },
    { name: 'folder/', type: '5' },
    { name: 'header', type: 'x', content: harmless },
    { name: 'a.jpg', content },
    { name: 'b.jpg', content },
  ];
  expect((await membersOf(tar(beside))).map(({ name }) => name)).toEqual(['a.jpg', 'b.jpg']);
});

const one: WrittenEntry = { name: 'a.jpg', content: Buffer.from('x') };
const extended = (key: string, value: string, type = 'x'): WrittenEntry => ({
  name: 'header',
  type,
  content: extendedLine(key, value),
});

test.each<[string, Buffer, RegExp]>([
  [
    'a name that leads out',
    tar([{ ...one, name: '../../etc/passwd.jpg' }]),
    /\.\.\/\.\.\/etc\/passwd\.jpg, which leads out/,
  ],
  ['such a name in the middle', tar([{ ...one, name: 'a/../../b.jpg' }]), /leads out/],
  ['such a name of Windows', tar([{ ...one, name: 'a\\..\\b.jpg' }]), /leads out/],
  ['an absolute name', tar([{ ...one, name: '/etc/passwd.jpg' }]), /leads out/],
  ['such a name in an extended header', tar([extended('path', '../x.jpg'), one]), /leads out/],
  [
    'such a name as a long one',
    tar([{ name: 'l', type: 'L', content: Buffer.from('/x.jpg\0') }, one]),
    /leads out/,
  ],
  ['no name', tar([{ ...one, name: '' }]), /a name of 0 characters/],
  ['a symbolic link', tar([{ name: 'a.jpg', type: '2' }]), /a symbolic link, a\.jpg/],
  ['a hard link', tar([{ name: 'a.jpg', type: '1' }]), /a hard link, a\.jpg/],
  ['a device', tar([{ name: 'a.jpg', type: '3' }]), /a device, a\.jpg/],
  ['a pipe', tar([{ name: 'a.jpg', type: '6' }]), /a pipe, a\.jpg/],
  ['a sparse file of GNU', tar([{ name: 'a.jpg', type: 'S' }]), /a sparse file, a\.jpg/],
  ['an unknown type', tar([{ name: 'a.jpg', type: '~' }]), /the unknown type "~", a\.jpg/],
  [
    'a sparse file of pax',
    tar([extended('GNU.sparse.major', '1'), one]),
    /an extended header with GNU\.sparse\.major/,
  ],
  ['another size', tar([extended('size', '9999999999'), one]), /an extended header with size/],
  ['a link target', tar([extended('linkpath', '/etc'), one]), /an extended header with linkpath/],
  ['one name for all', tar([extended('path', 'b.jpg', 'g'), one]), /an extended header with path/],
  [
    'an extended header without lines',
    tar([{ name: 'h', type: 'x', content: Buffer.from('99 a=b\n') }, one]),
    /an extended header that is damaged/,
  ],
  [
    'a huge extended header',
    tar([{ name: 'h', type: 'x', content: Buffer.alloc(70_000, 'a') }, one]),
    /a header of 70,000 bytes/,
  ],
  ['a huge file', tar([{ ...one, size: 2 ** 32 }]), /a\.jpg with 4,294,967,296 bytes, of which .* are there/],
  ['several archives in one', Buffer.concat([tar([one]), tar([one])]), /more behind its end/],
  [
    'a packed one',
    Buffer.from([0x1f, 0x8b, 8, 0, ...Buffer.alloc(600)]),
    /packed with gzip.*Unpack it \(gzip -d\)/,
  ],
  ['text', Buffer.alloc(2048, 'what is this? '), /a header whose checksum is wrong/],
])('%s is refused', async (_, archive, message) => {
  await expect(membersOf(archive)).rejects.toThrow(message);
  await expect(membersOf(archive)).rejects.toMatchObject({ exitCode: 2 });
});

test('a size in base 256 is read, and bounded by what is there', async () => {
  const archive = tar([{ name: 'a.jpg', content: Buffer.from('12345') }]);
  const withSize = (...bytes: number[]): Buffer => {
    const changed = Buffer.from(archive);
    changed.fill(0, 124, 136);
    changed[124] = 0x80;
    Buffer.from(bytes).copy(changed, 136 - bytes.length);
    changed.fill(' ', 148, 156);
    const sum = changed.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return changed;
  };
  expect(await membersOf(withSize(5))).toMatchObject([{ name: 'a.jpg', bytes: 5 }]);
  await expect(membersOf(withSize(1, 0, 0, 0, 0))).rejects.toThrow(/truncated/);
  await expect(membersOf(withSize(255, 255, 255, 255, 255, 255, 255, 255))).rejects.toThrow(
    /a size that is no number/,
  );
});
