import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openImageTextDataset } from '../src/index';
import { OPTIONS, TEXTS, examples, failure, folders, pictures, read } from './pairs/files';

const folder = folders();

describe('COCO', () => {
  const captions = (prefix: string, from: number, to: number) => {
    const ids = Array.from({ length: to - from }, (_, at) => from + at);
    return {
      images: ids.map((id) => ({ id, file_name: `${prefix}${id}.png` })),
      // All first captions, then all second ones: a picture's captions need not stand together.
      annotations: [0, 1].flatMap((which) =>
        ids.map((id) => ({ image_id: id, caption: ` ${TEXTS[2 * id + which] ?? ''}\n` })),
      ),
    };
  };
  const WELL_FORMED = {
    ...pictures('train2014/', 0, 9),
    ...pictures('val2014/COCO_', 9, 12),
    'annotations/captions_train2014.json': captions('', 0, 9),
    'annotations/captions_val2014.json': captions('COCO_', 9, 12),
    'annotations/instances_val2014.json': {},
  };

  test('another year; every picture with its captions, trimmed', async () => {
    const data = await openImageTextDataset(await folder(WELL_FORMED), OPTIONS);
    expect(data.name).toBe('pets');
    expect(await read(data.test)).toEqual(examples(9, 12));
    const kept = [...(await read(data.train)), ...(await read(data.validation))];
    expect(kept.sort((a, b) => a.shift - b.shift)).toEqual(examples(0, 9));
    expect(data.validation.size).toBe(1);
  });

  test('pictures elsewhere', async () => {
    const root = await folder(WELL_FORMED);
    const bare = await folder({
      'annotations/captions_train2014.json': captions('', 0, 9),
      'annotations/captions_val2014.json': captions('COCO_', 9, 12),
    });
    expect(await failure(openImageTextDataset(bare, OPTIONS))).toContain(
      `in the folder ${join(bare, 'train2014')}, but found no such folder`,
    );
    await Promise.all(['train2014', 'val2014'].map((name) => mkdir(join(bare, name))));
    expect(await failure(openImageTextDataset(bare, OPTIONS))).toContain('12 that are not there');
    const data = await openImageTextDataset(bare, { ...OPTIONS, images: root });
    expect(await read(data.test)).toEqual(examples(9, 12));
    const file = join(bare, 'annotations', 'captions_val2014.json');
    const one = await openImageTextDataset(file, { ...OPTIONS, images: join(root, 'val2014') });
    expect([one.name, one.train.size, one.validation.size, one.test.size]).toEqual([
      'captions_val2014',
      1,
      1,
      1,
    ]);
    const beside = await openImageTextDataset(join(root, 'annotations', 'captions_train2014.json'), OPTIONS);
    expect(beside.train.size + beside.validation.size + beside.test.size).toBe(9);
  });

  test('a byte order mark is no part of the file; 7 and "7" are the same id', async () => {
    const { images, annotations } = captions('', 0, 9);
    const mixed = {
      images: images.map(({ id, ...image }) => ({ id: id % 2 === 0 ? id : String(id), ...image })),
      annotations: annotations.map(({ image_id, caption }) => ({ image_id: String(image_id), caption })),
    };
    const root = await folder({
      ...WELL_FORMED,
      'annotations/captions_train2014.json': `\uFEFF${JSON.stringify(mixed)}`,
    });
    const data = await openImageTextDataset(root, OPTIONS);
    const kept = [...(await read(data.train)), ...(await read(data.validation))];
    expect(kept.sort((a, b) => a.shift - b.shift)).toEqual(examples(0, 9));
  });

  test('mistakes are named', async () => {
    const opening = async (files: object) =>
      failure(openImageTextDataset(await folder({ ...WELL_FORMED, ...files }), OPTIONS));
    const train = 'annotations/captions_train2014.json';
    const good = captions('', 0, 9);
    expect(await opening({ 'annotations/captions_train2017.json': good })).toContain(
      'one file captions_train',
    );
    expect(await opening({ [train]: '{"images": [' })).toContain('JSON in');
    expect(await opening({ [train]: { ...good, images: [{ id: 1, file_name: 7 }] } })).toContain(
      'images[0].file_name',
    );
    expect(await opening({ [train]: { images: [], annotations: [] } })).toContain('found none');
    expect(await opening({ [train]: { ...good, annotations: [] } })).toContain('9 pictures without');
    expect(
      await opening({ [train]: { ...good, annotations: [{ image_id: 77, caption: 'a whale' }] } }),
    ).toContain("image 77: 'a whale'");
    expect(
      await opening({ [train]: { ...good, images: [...good.images, { id: '3', file_name: 'again.png' }] } }),
    ).toContain('3: 3.png, again.png');
    expect(await opening({ [train]: '' })).toContain('an empty file');
    expect(await opening({ [train]: { ...good, images: [...good.images, ...good.images] } })).toContain(
      '18 images with 9 ids',
    );
    expect(await failure(openImageTextDataset(await folder({}), OPTIONS))).toContain("COCO's layout");
    const root = await folder(WELL_FORMED);
    expect(await failure(openImageTextDataset(join(root, '..'), OPTIONS))).toContain(`--data ${root}`);
    expect(await failure(openImageTextDataset(await folder({ 'train/cat/1.png': 1 }), OPTIONS))).toContain(
      '--task classification',
    );
  });
});
