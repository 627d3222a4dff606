import { join } from 'node:path';
import { openImageTextDataset } from '../src/index';
import { OPTIONS, TEXTS, example, failure, folders, pictures, read } from './pairs/files';

const folder = folders();

describe("Karpathy's splits", () => {
  const image = (split: string, id: number, filepath?: string) => ({
    filename: `${id}.png`,
    ...(filepath === undefined ? {} : { filepath }),
    split,
    sentences: [{ raw: ` ${TEXTS[2 * id] ?? ''} ` }, { raw: TEXTS[2 * id + 1] ?? '' }],
    imgid: id,
  });
  const file = {
    dataset: 'pets',
    images: [
      image('test', 0, 'val2014'),
      image('train', 1, 'train2014'),
      image('restval', 2, 'val2014'),
      image('val', 3, 'val2014'),
      image('train', 4),
    ],
  };
  const PICTURES = {
    ...pictures('val2014/', 0, 1),
    ...pictures('train2014/', 1, 2),
    ...pictures('val2014/', 2, 4),
    ...pictures('', 4, 5),
  };

  test('restval is trained on; file paths are joined; pictures lie beside the file or elsewhere', async () => {
    const root = await folder({ ...PICTURES, 'dataset_pets.json': file });
    const data = await openImageTextDataset(join(root, 'dataset_pets.json'), OPTIONS);
    expect(data.name).toBe('dataset_pets');
    expect(await read(data.train)).toEqual([example(1), example(2), example(4)]);
    expect(await read(data.validation)).toEqual([example(3)]);
    expect(await read(data.test)).toEqual([example(0)]);
    const apart = join(await folder({ 'dataset_pets.json': file }), 'dataset_pets.json');
    expect(await read((await openImageTextDataset(apart, { ...OPTIONS, images: root })).test)).toEqual([
      example(0),
    ]);
    const message = await failure(openImageTextDataset(apart, OPTIONS));
    expect(message).toContain('5 that are not there');
    expect(message).toContain(join('train2014', '1.png'));
  });

  test('mistakes are named', async () => {
    const opening = async (content: object) =>
      failure(
        openImageTextDataset(join(await folder({ ...PICTURES, 'a.json': content }), 'a.json'), OPTIONS),
      );
    const [test, ...others] = file.images;
    expect(await opening({ images: [{ ...test, split: 'dev' }, ...others] })).toContain('images[0].split');
    expect(await opening({ images: [{ ...test, sentences: [] }, ...others] })).toContain(
      '1 pictures without',
    );
    expect(await opening({ images: [test] })).toContain('in the split train');
    expect(await opening({ images: [...file.images, { ...test, split: 'train' }] })).toContain(
      '1 that are listed again',
    );
    expect(await opening({ pictures: [] })).toContain('images');
    expect(await opening([])).toContain("captions with Karpathy's splits");
    const wrong = Array.from({ length: 30 }, () => ({ filename: 'x.png' }));
    expect(await opening({ images: wrong })).toContain('and 50 more');
  });
});
