import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import {
  FormatError,
  type JsonFileFormat,
  openFile,
  readJson,
  readJsonIfThere,
  readYaml,
  writeJson,
} from '../src/index';

const format: JsonFileFormat<{ name: string; scores: Record<string, number>; more?: unknown }> = {
  schema: z.object({
    name: z.string(),
    scores: z.record(z.string(), z.number()),
    more: z.unknown().optional(),
  }),
  what: 'a list of scores',
};

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-files-'));
  file = join(folder, 'scores.json');
});
afterEach(() => rm(folder, { recursive: true }));

/** The user's mistake, in a few lines that begin with the file. */
async function refused(work: Promise<unknown>, message: RegExp | string): Promise<void> {
  const error: unknown = await work.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(FormatError);
  expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  expect(String(error).length).toBeLessThan(5000);
  expect(String(error)).toContain(folder);
}

describe('a file of JSON', () => {
  it('comes back as it was written, and is absent where there is none', async () => {
    expect(await readJsonIfThere(file, format)).toBeUndefined();
    await writeJson(file, { name: 'a', scores: { top1: 0.5 } }, format);
    expect(await readJson(file, format)).toEqual({ name: 'a', scores: { top1: 0.5 } });
  });

  it.each<[what: string, text: string, message: RegExp]>([
    ['nothing', '', /scores\.json: expected JSON; got an empty file/],
    ['half a file', '{"name": "a",\n "scores": {', /scores\.json: expected JSON; .*/],
    ['a comma too many', '{"name": "a",\n "scores": {},}', /at line 2, column 15/],
    ['a list', '[]', /not a list of scores\n {2}at the top: expected object, got array/],
    [
      'null for a number',
      '{"name":"a","scores":{"loss":null}}',
      /at scores\.loss: expected number, got null/,
    ],
    ['an infinite number', '{"name":"a","scores":{"loss":1e999}}', /at scores\.loss: expected number, got/],
    [
      'a hundred mistakes',
      JSON.stringify({
        name: 'a',
        scores: Object.fromEntries([...'x'.repeat(100)].map((_, i) => [i, null])),
      }),
      /and 90 more$/,
    ],
    [
      'a thousand brackets',
      `{"name":"a","scores":{},"more":${'['.repeat(1000)}${']'.repeat(1000)}}`,
      /at most 100 brackets within each other/,
    ],
  ])('of %s is refused with its place', async (_, text, message) => {
    await writeFile(file, text);
    await refused(readJson(file, format), message);
  });

  it('that is no text is refused', async () => {
    await writeFile(file, Uint8Array.of(0x22, 0xff, 0x22));
    await refused(readJson(file, format), /expected text in UTF-8/);
  });

  it('that is larger than such files are is not read', async () => {
    await writeFile(file, `"${'x'.repeat(1000)}"`);
    await refused(readJson(file, { ...format, mostBytes: 1000 }), /at most 1000 bytes .*, got 1002/);
  });

  it.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
  ])('is not written with %s, which would come back as null', async (name, loss) => {
    await writeJson(file, { name: 'old', scores: {} }, format);
    await refused(
      writeJson(file, { name: 'new', scores: { top1: 1, loss } }, format),
      new RegExp(`cannot write .*scores\\.json: scores\\.loss is ${name}, where a number was expected`),
    );
    expect((await readJson(file, format)).name).toBe('old');
  });

  it('is not written with anything that its schema refuses', async () => {
    const strict = { ...format, schema: format.schema.refine(({ name }) => name !== '', 'expected a name') };
    await refused(writeJson(file, { name: '', scores: {} }, strict), /at the top: expected a name/);
    expect(await readJsonIfThere(file, format)).toBeUndefined();
  });
});

describe('what is no file', () => {
  const withPipes = process.platform === 'win32' ? it.skip : it;

  it('is refused: a folder, a file within a file, a name with a NUL', async () => {
    await mkdir(file);
    await refused(readJson(file, format), /expected a file, got a folder/);
    await writeFile(join(folder, 'file'), '');
    await refused(readJson(join(folder, 'file', 'inside'), format), /there is no such file/);
    await refused(readJson(`${file}\0`, format), /cannot read/);
  });

  withPipes('is refused: a pipe that nobody writes to, a device, a file without a length', async () => {
    execFileSync('mkfifo', [file]);
    await refused(openFile(file), /expected a file, got a pipe/);
    await refused(readYaml(file, format), /expected a file, got a pipe/);
    await expect(openFile('/dev/zero')).rejects.toThrow(/expected a file, got a device/);
    if (process.platform !== 'linux') return;
    await expect(readJson('/proc/self/status', format)).rejects.toThrow(/got an empty file/);
  });
});

test('text in UTF-16 is named, in JSON and in YAML', async () => {
  const text = Buffer.from('\ufeff{"name": "x", "scores": {}}', 'utf16le');
  for (const bytes of [text, Buffer.from(text).swap16()]) {
    await writeFile(file, bytes);
    for (const read of [readJson, readYaml])
      await refused(
        read(file, format),
        /expected text in UTF-8, got UTF-16 \(its byte order mark\)\. Save the file as UTF-8/,
      );
  }
});

describe('a file of YAML', () => {
  const options = { schema: z.record(z.string(), z.unknown()), what: 'options by name' };
  const read = async (text: string) => {
    await writeFile(file, text);
    return readYaml(file, options);
  };

  it('may be YAML, JSON or empty', async () => {
    expect(await read('a: 1\nb: [x, {c: 2x}] # why? because\n')).toEqual({ a: 1, b: ['x', { c: '2x' }] });
    expect(await read('{"a": {"b": 1}}')).toEqual({ a: { b: 1 } });
    expect(await read('')).toEqual({});
    expect(await read('base: &base {a: 1}\nother: *base\n')).toEqual({ base: { a: 1 }, other: { a: 1 } });
  });

  it.each<[what: string, text: string, message: RegExp]>([
    ['a bracket that stays open', 'a: 1\nb: [1,\n', /neither YAML nor JSON: .* at line 2, column \d+/],
    ['a key within a value', 'a: 1\nb: 2\n  c: 3', /neither YAML nor JSON: .* at line 2, column 4/],
    ['a tab', 'a:\n\t- 1', /tab character at line 2, column 1/],
    ['a key given twice', 'a: 1\nb:\n  a: 2\n  c: 3\n  a: 4', /"a" is repeated at line 5, column 3/],
    ['an anchor that is none', 'a: 1\nb: *c', /anchor not found: c at line 2, column 4/],
    ['a tag that is none', 'a: !python/object x', /tag !python\/object is unavailable.* at line 1/],
    ['a list', '- 1', /not options by name\n {2}at the top: expected record, got array/],
  ])('with %s is refused with its line', async (_, text, message) => refused(read(text), message));

  const bomb = [...'bcdefghi'].map(
    (name, i) => `${name}: &${name} [${`*${'abcdefgh'[i] ?? ''},`.repeat(9)}]`,
  );
  it.each<[what: string, text: () => string, message: RegExp]>([
    ['50 MB', () => `a: ${'x'.repeat(5e7)}`, /expected at most 262144 bytes/],
    ['100,000 keys', () => Array.from({ length: 1e5 }, (_, i) => `${i.toString(36)}:`).join('\n'), /at most/],
    [
      '20,000 short keys',
      () => Array.from({ length: 2e4 }, (_, i) => `${i}:`).join('\n'),
      /at most 5000 keys/,
    ],
    ['aliases of aliases', () => ['a: &a [1,1,1]', ...bomb].join('\n'), /alias/],
    ['a value within itself', () => 'a: &a [*a]', /at most 64 levels deep/],
    ['thousands of brackets', () => '['.repeat(9999), /at most 64 levels deep/],
    ['thousands of dashes', () => '- '.repeat(9999), /at most 64 levels deep/],
    [
      'hundreds of steps',
      () => [...'x'.repeat(200)].map((_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /at most 64/,
    ],
    ['a thousand question marks', () => '? '.repeat(1000), /at most 16 keys written with "\? "/],
  ])('of %s is refused before it costs anything', async (_, text, message) => refused(read(text()), message));
});
