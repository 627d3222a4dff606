import { createHash } from 'node:crypto';
import type { Dataset, PairBatch } from '@winnow/core';
import sharp from 'sharp';
import { emojiTexts } from '../src/emoji/texts';
import {
  type TokenizedImageTextData,
  embeddedImageTextDatasets,
  emojiRecords,
  imageNetNormalisation,
  openImageTextDataset,
} from '../src/index';
import { type NumberedTexts, numberedTexts } from './pairs/numbered-texts';

const drawingsIn = (batch: PairBatch) => {
  const values = batch.images.length / batch.size;
  return Array.from({ length: batch.size }, (_, row) =>
    createHash('sha256')
      .update(new Uint8Array(batch.images.buffer, row * values * 4, values * 4))
      .digest('hex'),
  );
};

const emojiNamesByRecord = async () => emojiTexts(await emojiRecords());

describe('what emoji are called', () => {
  test('no two share a text, and each has one at least', async () => {
    const records = await emojiRecords();
    const texts = emojiTexts(records);
    const all = [...texts.values()].flat();
    expect(texts.size).toBe(records.length);
    expect([...texts].filter(([, of]) => of.length === 0)).toEqual([]);
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((text) => text !== text.toLowerCase() || text.includes('_'))).toEqual([]);
  });

  test.each([
    ['grinning', ['grinning face', 'grinning']],
    ['sob', ['loudly crying face', 'sob']],
    ['bee', ['honeybee', 'bee']],
    ['tent', ['tent']],
    ['flag-ad', ['andorra flag']],
    ['jp', ['japan flag']],
    ['+1', ['thumbs up sign']],
    ['clock130', ['clock face one thirty']],
    ['mouse2', ['mouse']],
    ['mouse', ['mouse face']],
    ['man_in_tuxedo', ['man in tuxedo']],
    ['person_in_tuxedo', ['person in tuxedo']],
    ['t-rex', ['t rex']],
  ])('%s', async (shortName, expected) => {
    const records = await emojiRecords();
    const record = records.find((one) => one.shortName === shortName);
    const texts = emojiTexts(records);
    expect(record === undefined ? undefined : texts.get(record)).toEqual(expected);
  });
});

describe('emoji-names', () => {
  test('splits as the emoji tasks do; the test shows one drawing of each of its emoji', async () => {
    const data = await openImageTextDataset('emoji-names', { imageSize: 8 });
    expect(data).toMatchObject({ name: 'emoji-names', imageSize: 8, channels: 3 });
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([1906, 368, 565]);
    const test = await data.test.batch([...Array(565).keys()]);
    expect(test.size).toBe(565);
    expect(test.texts).toBeGreaterThan(565);
    const train = await data.train.batch([...Array(1906).keys()]);
    expect(train.size).toBe(2879);
    expect(data.vocabulary).toBe(data.tokenizer.vocabulary);
    expect(data.endToken).toBe(data.tokenizer.endToken);
    expect(Math.max(...train.tokens)).toBeLessThan(data.vocabulary);
    expect(train.tokens.length / train.texts).toBe(data.context);
  });

  describe('read back', () => {
    let names: Awaited<ReturnType<typeof emojiNamesByRecord>>;
    let tokenizer: NumberedTexts;
    let data: TokenizedImageTextData;
    beforeAll(async () => {
      names = await emojiNamesByRecord();
      tokenizer = numberedTexts([...names.values()].flat());
      data = await openImageTextDataset('emoji-names', { imageSize: 64, tokenizer });
    });
    const all = (dataset: Dataset<PairBatch>) => dataset.batch([...Array(dataset.size).keys()]);

    test('no drawing of the test or the validation is trained on, byte for byte', async () => {
      const trained = new Set(drawingsIn(await all(data.train)));
      const validated = drawingsIn(await all(data.validation));
      const tested = drawingsIn(await all(data.test));
      expect(trained.size).toBeGreaterThan(2000);
      expect([...validated, ...tested].filter((drawing) => trained.has(drawing))).toEqual([]);
      expect(tested.filter((drawing) => validated.includes(drawing))).toEqual([]);
    });

    test('every text of the test is trained on', async () => {
      const trained = new Set(tokenizer.textsIn(await all(data.train)));
      const tested = tokenizer.textsIn(await all(data.test));
      expect(tested.filter((text) => !trained.has(text))).toEqual([]);
    });

    test('a text goes with the right drawing, as it lies on the disk', async () => {
      const batch = await data.test.batch([7]);
      const [name = ''] = tokenizer.textsIn(batch);
      const record = [...names.keys()].find((one) => names.get(one)?.[0] === name);
      const drawing = sharp(record?.drawings.twitter ?? '').flatten({ background: 'white' });
      const { mean, std } = imageNetNormalisation;
      const expected = Float32Array.from(await drawing.raw().toBuffer(), (value, at) => {
        const channel = at % 3 === 0 ? 0 : at % 3 === 1 ? 1 : 2;
        return (value / 255 - mean[channel]) / std[channel];
      });
      expect(batch.images).toEqual(expected);
    });
  });

  test('is listed with a line of description', () => {
    expect(embeddedImageTextDatasets.map(({ name }) => name)).toContain('emoji-names');
    for (const { description } of embeddedImageTextDatasets) expect(description).not.toContain('\n');
  });
});
