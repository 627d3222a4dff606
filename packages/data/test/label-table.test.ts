import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { identifyDataset, namesImageTextData, openDataset } from '../src/index';
import { labelTable } from '../src/labelled/label-table';
import { failureOf } from './pictures/failure';
import { temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const OPTIONS = { imageSize: 16 };
const PICTURES = 20;

/** A folder with `pictures/0.png` and so on, and a table of that name beside them. */
async function table(name: string, text: string): Promise<string> {
  const root = await temporary('pets');
  await writeTree(root, {
    ...Object.fromEntries(Array.from({ length: PICTURES }, (_, at) => [`pictures/${at}.png`, at])),
    [name]: Buffer.from(text),
  });
  return join(root, name);
}
const numbers = Array.from({ length: PICTURES }, (_, at) => at);
const labelOf = (at: number) => (at % 2 === 0 ? 'dog' : 'cat');
const splitOf = (at: number) => (at < 12 ? 'train' : at < 16 ? 'val' : 'test');
const csv = (header: string, ...rows: readonly string[]) => [header, ...rows].join('\r\n');
const row = (at: number) => `pictures/${at}.png,${labelOf(at)}`;
const opened = async (name: string, text: string) => openDataset(await table(name, text), OPTIONS);
const refusal = async (text: string, name = 'pets.csv') => failureOf(opened(name, text));
const sizes = ({ train, validation, test }: Awaited<ReturnType<typeof openDataset>>) => [
  train.size,
  validation.size,
  test.size,
];

describe('a table of labels', () => {
  test('with splits, as CSV', async () => {
    const rows = numbers.map((at) => `${row(at)},${splitOf(at)}`);
    const data = await opened('pets.csv', csv('\uFEFFImage,label,split', ...rows));
    expect(data).toMatchObject({ name: 'pets', classes: ['cat', 'dog'], notes: [] });
    expect(sizes(data)).toEqual([12, 4, 4]);
    expect([...(await data.test.batch([0, 1, 2, 3])).labels]).toEqual([1, 0, 1, 0]);
  });

  test('the same as JSONL: the same data', async () => {
    const rows = numbers.map((at) => `${row(at)},${splitOf(at)}`);
    const lines = numbers.map((at) =>
      JSON.stringify({ label: labelOf(at), image: `pictures/${at}.png`, split: splitOf(at) }),
    );
    const one = await table('pets.csv', csv('image,label,split', ...rows));
    const other = await table('pets.jsonl', `${lines.join('\n')}\n\n`);
    expect(await identifyDataset(other)).toEqual(await identifyDataset(one));
    expect(sizes(await openDataset(other, OPTIONS))).toEqual([12, 4, 4]);
  });

  test('without splits is divided class by class, whatever the order of the rows', async () => {
    const path = await table('pets.csv', csv('image,label', ...numbers.map(row)));
    const data = await openDataset(path, OPTIONS);
    expect(sizes(data)).toEqual([14, 2, 4]);
    expect(data.notes).toEqual([
      expect.stringMatching(/^no column split: every class is divided 70\/15\/15 %/),
    ]);
    const identity = await identifyDataset(path);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(numbers, { minLength: PICTURES }), async (order) => {
        await writeFile(path, csv('image,label', ...order.map(row)));
        expect(await identifyDataset(path)).toEqual(identity);
      }),
      { numRuns: 10 },
    );
    expect(await identifyDataset(path, { validationSeed: 1 })).not.toEqual(identity);
  });

  test('with a split that is missing: validation is set aside, and said', async () => {
    const rows = numbers.map((at) => `${row(at)},${at < 16 ? 'train' : 'test'}`);
    const tested = await opened('pets.csv', csv('image,label,split', ...rows));
    expect([sizes(tested), tested.notes]).toEqual([
      [14, 2, 4],
      ['no validation split; set aside for validation: 2 pictures of train'],
    ]);
    const validated = await opened('pets.csv', csv('image,label,split', ...rows).replaceAll(',test', ',val'));
    expect([sizes(validated), validated.notes]).toEqual([
      [14, 2, 4],
      ['no test split: validation is the test; set aside for validation: 2 pictures of train'],
    ]);
  });

  test('labels are numbers too; columns that are not read and rows that repeat others are said', async () => {
    const lines = [...numbers, 3].map((at) =>
      JSON.stringify({ image: `pictures/${at}.png`, label: at % 2, width: 20, 'e\u0301': 1 }),
    );
    const data = await opened('pets.ndjson', lines.join('\n'));
    expect(data.classes).toEqual(['0', '1']);
    expect(data.notes.slice(1)).toEqual([
      '1 row that says again what another says',
      'columns that are not read: width, e\u0301 (only image, label and split are)',
    ]);
    const more = await opened(
      'pets.csv',
      csv('image,label,photographer', ...numbers.map((at) => `${row(at)},me`)),
    );
    expect(more.notes.slice(1)).toEqual([
      'columns that are not read: photographer (only image, label and split are)',
    ]);
  });

  test('of pictures in another folder, which only a table has a use for', async () => {
    const path = await table(
      'pets.csv',
      csv('image,label', ...numbers.map((at) => `${at}.png,${labelOf(at)}`)),
    );
    expect(await failureOf(openDataset(path, OPTIONS))).toContain('20 that are not there');
    const images = join(path, '..', 'pictures');
    expect(sizes(await openDataset(path, { ...OPTIONS, images }))).toEqual([14, 2, 4]);
    expect(await identifyDataset(path, { images })).toMatchObject({ classes: expect.any(String) });
    expect((await openDataset('emoji-category', { ...OPTIONS, images })).notes).toEqual([
      '--images is for tables, and not used here',
    ]);
  });

  test('is told from a table of captions by its header', async () => {
    expect(await namesImageTextData(await table('a.csv', csv('image,"Label"', ...numbers.map(row))))).toBe(
      false,
    );
    expect(await namesImageTextData(await table('a.jsonl', ''))).toBe(false);
    expect(await namesImageTextData(await table('a.csv', csv('image,caption,label', 'x,y,z')))).toBe(true);
    expect(await namesImageTextData(await table('a.json', '{}'))).toBe(true);
  });
});

describe('a table of labels that is refused', () => {
  const some = (...more: readonly string[]) => csv('image,label', ...numbers.map(row), ...more);

  test('without its columns', async () => {
    expect(await refusal(csv('file,label', 'a.png,cat'))).toContain('no image among: file, label');
    expect(await refusal(csv('image;label', 'a.png;cat'))).toContain('Separate columns by commas');
    expect(await refusal(csv('image,caption', 'a.png,a cat'))).toContain('--task retrieval');
    expect(await refusal(csv('image,label,label', 'a.png,a,b'))).toContain('one column label');
    expect(await refusal('')).toContain('no rows');
  });

  test('with fields that are not as they should be', async () => {
    expect(await refusal(some('a.png,  '))).toContain('row 21, column label: expected a label');
    expect(await refusal(some(',cat'))).toContain('row 21, column image');
    expect(await refusal(some(`a.png,${'x'.repeat(201)}`))).toContain('row 21, column label');
    expect(await refusal(some('a.png,"x" y'))).toContain('RFC 4180');
    expect(await refusal(csv('image,label,split', `${row(0)},train`, `${row(1)},dev`))).toContain(
      'row 2, column split',
    );
    const lines = ['{"image": "pictures/0.png", "label": "cat"}', '[1]', '{"image": 7}', '{'];
    expect(await refusal(lines.slice(0, 2).join('\n'), 'pets.jsonl')).toContain('no object on line 2');
    expect(await refusal(lines.filter((_, at) => at !== 1).join('\n'), 'pets.jsonl')).toContain(
      'no JSON on line 3',
    );
    const missing = await refusal(lines.filter((_, at) => at % 2 === 0).join('\n'), 'pets.jsonl');
    expect(missing).toContain('row 2, column image');
    expect(missing).toContain('row 2, column label');
  });

  test('that is no UTF-8', async () => {
    const path = await table('pets.csv', '');
    await writeFile(path, Buffer.from(some('caf\u00e9.png,cat'), 'latin1'));
    expect(await failureOf(openDataset(path, OPTIONS))).toContain('the byte 0xE9 on line 22');
  });

  test('with paths that lead out of the folder, by their names or by a link', async () => {
    const outside = await refusal(some('../elsewhere.png,cat', '/etc/passwd,dog'));
    expect(outside).toContain('2 that lead elsewhere:\n- ../elsewhere.png\n- /etc/passwd');
    const path = await table('pets.csv', some('pictures/link.png,cat'));
    const elsewhere = await temporary('elsewhere');
    await writeTree(elsewhere, { 'x.png': 1 });
    await symlink(join(elsewhere, 'x.png'), join(path, '..', 'pictures', 'link.png'));
    expect(await failureOf(openDataset(path, OPTIONS))).toContain('a symbolic link leads elsewhere');
  });

  test('with pictures that are not there', async () => {
    const message = await refusal(some('pictures/none.png,cat'));
    expect(message).toContain('1 that are not there');
    expect(message).toContain(join('pictures', 'none.png'));
  });

  test('with a picture of several labels or splits, under whatever name', async () => {
    expect(await refusal(some('./pictures/../pictures/0.png,cat'))).toContain('pictures/0.png: dog and cat');
    expect(await refusal(csv('image,label,split', `${row(0)},train`, `${row(0)},test`))).toContain(
      'pictures/0.png: train and test',
    );
  });

  test('with splits in some rows only', async () => {
    const lines = numbers.map((at) =>
      JSON.stringify({
        image: `pictures/${at}.png`,
        label: labelOf(at),
        ...(at === 3 ? {} : { split: splitOf(at) }),
      }),
    );
    expect(await refusal(lines.join('\n'), 'pets.jsonl')).toContain('1 picture without:\n- pictures/3.png\n');
  });

  test('with too few classes, or too few pictures of one', async () => {
    expect(await refusal(csv('image,label', 'pictures/0.png,cat'))).toContain('one, cat');
    expect(await refusal(some().replace('pictures/0.png,dog', 'pictures/0.png,fox'))).toContain(
      'fox: 1 picture',
    );
    const split = (at: number) => (at % 2 === 0 ? 'test' : 'train');
    expect(
      await refusal(csv('image,label,split', ...numbers.map((at) => `${row(at)},${split(at)}`))),
    ).toContain('none of 1 class:\n- dog');
    expect(await refusal(csv('image,label,split', ...numbers.map((at) => `${row(at)},train`)))).toContain(
      'the split train alone',
    );
    const lone = ['pictures/0.png,dog,train', 'pictures/1.png,cat,train', 'pictures/2.png,dog,test'];
    expect(await refusal(csv('image,label,split', ...lone))).toContain('at least two training pictures');
  });
});

test('any label that is written to a table is read from it, in the composed form of Unicode', async () => {
  const path = await table('pets.csv', '');
  const label = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 10 })
    .filter((text) => text.trim() !== '' && !text.includes('\0'));
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(label, label, async (one, other) => {
      const names = [one, other].map((text) => text.trim().normalize('NFC'));
      fc.pre(names[0] !== names[1]);
      const rows = numbers.map((at) => `pictures/${at}.png,${quoted(at % 2 === 0 ? one : other)}`);
      await writeFile(path, csv('image,label', ...rows));
      const { classes } = await labelTable(path, 'csv', {});
      expect(classes).toEqual([...names].sort());
    }),
  );
});
