import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Dataset, type PairBatch, evaluationBatches } from '@winnow/core';
import { openImageTextDataset } from '../src/index';
import { numberedTexts } from './pairs/numbered-texts';

const shared = process.env['WINNOW_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const coco = join(shared, 'data', 'coco-sample');
const present = existsSync(coco);

interface Captions {
  readonly images: readonly { readonly id: number; readonly file_name: string }[];
  readonly annotations: readonly { readonly image_id: number; readonly caption: string }[];
}
const captionsOf = async (split: string): Promise<Captions> =>
  JSON.parse(await readFile(join(coco, 'annotations', `captions_${split}.json`), 'utf8')) as Captions;

(present ? describe : describe.skip)(
  `photographs with captions${present ? '' : ' (skipped: no data/coco-sample in WINNOW_SHARED)'}`,
  () => {
    test('the official validation is the test; validation is set aside from training', async () => {
      const data = await openImageTextDataset(coco, { imageSize: 16 });
      expect(data).toMatchObject({ name: 'coco-sample', imageSize: 16, channels: 3 });
      expect([data.train.size, data.validation.size, data.test.size]).toEqual([72, 8, 79]);
      const batch = await data.test.batch([0, 40, 78]);
      expect([batch.size, batch.texts]).toEqual([3, 15]);
      expect([...batch.imageGroups]).toEqual([0, 40, 78]);
      expect([...batch.textGroups]).toEqual([0, 40, 78].flatMap((group) => Array(5).fill(group) as number[]));
      expect(batch.images.every(Number.isFinite)).toBe(true);
    });

    test('the context is what the longest training caption needs', async () => {
      const data = await openImageTextDataset(coco, { imageSize: 16 });
      const { tokens, texts } = await data.train.batch([...Array(72).keys()]);
      expect(data.context).toBeLessThan(77);
      expect(tokens.length / texts).toBe(data.context);
      expect(Math.max(...tokens)).toBe(data.endToken);
      const given = await openImageTextDataset(coco, { imageSize: 16, tokenizer: data.tokenizer });
      expect(given.context).toBe(77);
      const cut = await openImageTextDataset(coco, { imageSize: 16, context: 6 });
      const short = await cut.test.batch([0]);
      expect(short.tokens).toHaveLength(5 * 6);
      expect(short.tokens[5]).toBe(cut.endToken);
    });

    test('every picture has exactly its captions, over all splits', async () => {
      const files = await Promise.all([captionsOf('train2017'), captionsOf('val2017')]);
      const texts = files.flatMap(({ annotations }) => annotations.map(({ caption }) => caption.trim()));
      const tokenizer = numberedTexts(texts);
      const data = await openImageTextDataset(coco, { imageSize: 8, tokenizer });
      const said: string[][] = [];
      for (const dataset of [data.train, data.validation, data.test]) {
        for await (const batch of evaluationBatches(dataset, 1)) said.push(tokenizer.textsIn(batch).sort());
      }
      const expected = files.flatMap(({ images, annotations }) =>
        images.map(({ id }) =>
          annotations.filter(({ image_id }) => image_id === id).map(({ caption }) => caption.trim()),
        ),
      );
      const asText = (groups: string[][]) => groups.map((group) => [...group].sort().join('\n')).sort();
      expect(asText(said)).toEqual(asText(expected));
    });

    test('n epochs of training say all five captions; training pictures are varied', async () => {
      const { images, annotations } = await captionsOf('val2017');
      const tokenizer = numberedTexts(annotations.map(({ caption }) => caption.trim()));
      const file = join(coco, 'annotations', 'captions_val2017.json');
      const data = await openImageTextDataset(file, { imageSize: 16, tokenizer, validationShare: 0.2 });
      expect([data.train.size, data.validation.size, data.test.size]).toEqual([47, 16, 16]);
      expect(images).toHaveLength(79);
      const said = new Set<string>();
      const drawn: Float32Array[] = [];
      for (let epoch = 0; epoch < 5; epoch++) {
        const batch = await data.train.batch([3, 4], { seed: 2, epoch });
        tokenizer.textsIn(batch).forEach((text) => said.add(text));
        drawn.push(batch.images);
      }
      expect([...said].sort()).toEqual(tokenizer.textsIn(await data.train.batch([3, 4])).sort());
      expect(drawn[0]).not.toEqual(drawn[1]);
    });

    test('another seed sets other pictures aside', async () => {
      const validation = async (validationSeed: number): Promise<PairBatch> => {
        const { validation }: { validation: Dataset<PairBatch> } = await openImageTextDataset(coco, {
          imageSize: 8,
          validationSeed,
        });
        return validation.batch([0, 1, 2, 3, 4, 5, 6, 7]);
      };
      expect((await validation(1)).images).toEqual((await validation(1)).images);
      expect((await validation(1)).images).not.toEqual((await validation(2)).images);
    });
  },
);
