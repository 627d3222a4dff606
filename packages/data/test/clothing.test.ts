import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDataset } from '../src/index';

const shared = process.env['WINNOW_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const clothing = join(shared, 'data', 'clothing');
const present = existsSync(clothing);

(present ? describe : describe.skip)(
  `photographs of clothes${present ? '' : ' (skipped: no data/clothing in WINNOW_SHARED)'}`,
  () => {
    test('3,781 pictures of 10 classes', async () => {
      const data = await openDataset(clothing, { imageSize: 32 });
      expect([data.train.size, data.validation.size, data.test.size]).toEqual([3068, 341, 372]);
      expect(data.classes).toHaveLength(10);
      expect(data.classes).toContain('t-shirt');
    });

    test('batches for evaluation and training', async () => {
      const data = await openDataset(clothing, { imageSize: 32 });
      const indices = [0, 1000, 2000, 3067];
      const plain = await data.train.batch(indices);
      const varied = await data.train.batch(indices, { seed: 1, epoch: 0 });
      expect(plain.images.every(Number.isFinite)).toBe(true);
      expect(varied.labels).toEqual(plain.labels);
      expect(varied.images).not.toEqual(plain.images);
    });
  },
);
