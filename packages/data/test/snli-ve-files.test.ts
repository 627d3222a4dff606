import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import {
  type RegionReader,
  identifyEntailmentDataset,
  namesEntailmentData,
  openEntailmentDataset,
  openRegionEntailmentDataset,
} from '../src/index';
import { temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();

const line = (picture: number, label: string, more: Readonly<Record<string, unknown>> = {}) => ({
  annotator_labels: [label],
  captionID: `${picture}.jpg#0`,
  gold_label: label,
  pairID: `${picture}.jpg#0${label}`,
  sentence1: 'A person is outside.',
  sentence2: `somebody is ${label}`,
  Flickr30K_ID: String(picture),
  ...more,
});
const jsonl = (lines: readonly unknown[]) =>
  lines.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\r\n');

const plain = {
  train: [line(1, 'entailment'), line(2, 'neutral'), line(1, 'contradiction'), line(2, '-')],
  dev: [line(3, 'contradiction'), '', line(3, 'neutral', { Flickr30K_ID: '3.jpg' })],
  test: [line(4, 'entailment'), line(4, '-', { pairID: 'one' }), line(4, '-', { pairID: 'two' })],
};
type Lines = Readonly<Partial<Record<string, readonly unknown[]>>>;

/** SNLI-VE's files; pictures are the brighter the greater their number. */
async function written(contents: Lines = plain, prefix = ''): Promise<string> {
  const folder = await temporary('entailment');
  await mkdir(join(folder, 'images'));
  for (const picture of [1, 2, 3, 4]) {
    const background = `#${String(picture * 2).repeat(6)}`;
    const file = join(folder, 'images', `${picture}.jpg`);
    await sharp({ create: { width: 4, height: 4, channels: 3, background } })
      .jpeg()
      .toFile(file);
  }
  for (const [split, lines] of Object.entries(contents))
    if (lines !== undefined)
      await writeFile(join(folder, `${prefix}snli_ve_${split}.jsonl`), `${jsonl(lines)}\n`);
  return join(folder, `${prefix}snli_ve_train.jsonl`);
}
const images = (spec: string) => join(dirname(spec), 'images');

test.each(['', 'e-'])('statements about a picture each are read, with %j before the name', async (prefix) => {
  const spec = await written(plain, prefix);
  expect(await namesEntailmentData(spec)).toBe(true);
  expect(await namesEntailmentData(spec.replace('train', 'dev'))).toBe(false);
  const data = await openEntailmentDataset(spec, { imageSize: 2, images: images(spec) });
  expect([data.train.size, data.validation.size, data.test.size]).toEqual([3, 2, 1]);
  expect(data.notes).toEqual([
    `the test is ${prefix}snli_ve_test.jsonl`,
    `1 statement of ${prefix}snli_ve_train.jsonl left out: people did not agree on it (-)`,
    `2 statements of ${prefix}snli_ve_test.jsonl left out: people did not agree on them (-)`,
  ]);
  expect(data.texts.train).toEqual([
    'somebody is entailment',
    'somebody is neutral',
    'somebody is contradiction',
  ]);
  const batch = await data.train.batch([0, 1, 2]);
  expect([...batch.labels]).toEqual([1, 2, 0]);
  const [first = NaN, second = NaN, third] = [0, 1, 2].map((place) => batch.images[place * 2 * 2 * 3]);
  expect(third).toBe(first);
  expect(second).toBeGreaterThan(first);
});

test('the identity changes with a label, and not with the place', async () => {
  const [first, second] = [await written(), await written()];
  const turned = await written({ ...plain, dev: [line(3, 'entailment'), line(3, 'neutral')] });
  const of = (spec: string) => identifyEntailmentDataset(spec, { images: images(spec) });
  expect(await of(first)).toEqual(await of(second));
  expect(await of(first)).not.toEqual(await of(turned));
});

test('a model that reads regions is refused, as the files know no boxes', async () => {
  const spec = await written();
  const reader: RegionReader = {
    features: 1,
    digest: 'none',
    lend: () => Promise.reject(new Error('asked')),
  };
  await expect(
    openRegionEntailmentDataset(
      spec,
      { imageSize: 2, images: images(spec) },
      { rule: 'true', seed: 0, reader },
    ),
  ).rejects.toThrow(/pictures with boxes/);
});

test.each<[string, Lines, RegExp]>([
  [
    'a line without a label',
    { ...plain, dev: [line(3, 'x', { gold_label: undefined })] },
    /line 1: gold_label: /,
  ],
  [
    'an unknown label',
    { ...plain, dev: [line(3, 'neutral'), line(3, 'perhaps')] },
    /line 2: gold_label: expected contradiction, entailment, neutral, or - where there is none/,
  ],
  ['no words', { ...plain, dev: [line(3, 'neutral', { sentence2: ' ' })] }, /sentence2: expected words/],
  [
    'a picture that leads elsewhere',
    { ...plain, dev: [line(3, 'neutral', { Flickr30K_ID: '../3' })] },
    /line 1: Flickr30K_ID: expected the number of a picture/,
  ],
  [
    'a statement that is there twice',
    { ...plain, dev: [line(3, 'neutral'), line(3, 'neutral')] },
    /a pairID of their own in .*3\.jpg#0neutral/s,
  ],
  ['no JSON', { ...plain, dev: [line(3, 'neutral'), '{"gold_label'] }, /line 2: /],
  ['an empty file', { ...plain, dev: [] }, /none for validation/],
  ['a file without a label', { ...plain, test: [line(4, '-')] }, /statements with a label .*none for test/s],
  ['no test', { train: plain.train, dev: plain.dev }, /no snli_ve_test\.jsonl/],
  ['neither of both', { train: plain.train }, /no snli_ve_dev\.jsonl, snli_ve_test\.jsonl/],
  ['a picture that is not there', { ...plain, dev: [line(5, 'neutral')] }, /5\.jpg/],
])('%s is refused by name', async (_, contents, message) => {
  const spec = await written(contents);
  await expect(openEntailmentDataset(spec, { imageSize: 2, images: images(spec) })).rejects.toThrow(message);
});
