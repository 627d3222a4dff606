import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError, PREPROCESSOR_FILE, readPreparation, readPreprocessor } from '../src/index';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-preprocessor-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const write = (name: string, content: unknown) => writeFile(join(folder, name), JSON.stringify(content));

const uneven = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.5, 0.75] };

describe('what pictures are normalised with', () => {
  it.each<[string, string, unknown]>([
    [
      'a Hugging Face checkpoint',
      PREPROCESSOR_FILE,
      { image_processor_type: 'ViTImageProcessor', image_mean: uneven.mean, image_std: uneven.std },
    ],
    [
      'a timm checkpoint',
      'config.json',
      { architecture: 'vit_tiny', pretrained_cfg: { tag: 'a', ...uneven } },
    ],
    ['an old timm checkpoint', 'config.json', { architecture: 'vit_tiny', num_classes: 2, ...uneven }],
    ['an open_clip checkpoint', 'open_clip_config.json', { model_cfg: {}, preprocess_cfg: uneven }],
    [
      'the processor of transformers 5',
      'processor_config.json',
      {
        processor_class: 'CLIPProcessor',
        image_processor: {
          ...{ image_processor_type: 'CLIPImageProcessor', image_mean: 0.5, image_std: uneven.std },
          ...{ do_rescale: true, rescale_factor: 1 / 255, resample: 3, data_format: 'channels_first' },
          ...{ crop_size: { height: 16, width: 16 }, size: { shortest_edge: 16 }, device: null },
        },
      },
    ],
  ])('is read from %s', async (_what, name, content) => {
    await write(name, content);
    expect(await readPreparation(folder, 16)).toMatchObject(uneven);
    await writeFile(join(folder, 'model.safetensors'), '');
    expect(await readPreparation(join(folder, 'model.safetensors'), 16)).toMatchObject(uneven);
  });

  it('is read from the processor of transformers 5 before the file of its predecessors', async () => {
    const ours = { mean: [0.1, 0.2, 0.3], std: [1, 2, 3] };
    await write(PREPROCESSOR_FILE, { image_mean: ours.mean, image_std: ours.std });
    await write('processor_config.json', { processor_class: 'CLIPProcessor' });
    expect(await readPreparation(folder, 16)).toEqual(ours);
    await write('processor_config.json', {
      image_processor: { image_mean: uneven.mean, image_std: uneven.std },
    });
    expect(await readPreparation(folder, 16)).toEqual(uneven);
  });

  it('is nothing where a checkpoint says that it does not normalise', async () => {
    await write(PREPROCESSOR_FILE, { do_normalize: false, image_mean: uneven.mean, image_std: uneven.std });
    expect(await readPreparation(folder, 16)).toEqual({ mean: [0, 0, 0], std: [1, 1, 1] });
  });

  it('comes with the scale that levels are brought to, where it is another than 0 … 1', async () => {
    const said = { image_mean: 127.5, image_std: 127.5 };
    await write(PREPROCESSOR_FILE, { ...said, do_rescale: false });
    expect(await readPreparation(folder, 16)).toMatchObject({ scale: 1, mean: [127.5, 127.5, 127.5] });
    await write(PREPROCESSOR_FILE, { ...said, rescale_factor: 1 / 127.5 });
    expect(await readPreparation(folder, 16)).toMatchObject({ scale: 1 / 127.5 });
    await write(PREPROCESSOR_FILE, { ...said, rescale_factor: 0.00392156862745098 });
    expect(await readPreparation(folder, 16)).not.toHaveProperty('scale');
  });

  it.each([
    ['four channels', { image_mean: [1, 2, 3, 4], image_std: [1, 1, 1] }],
    ['a deviation of zero', { image_mean: [1, 2, 3], image_std: [1, 0, 1] }],
  ])('is not %s', async (_what, content) => {
    await write(PREPROCESSOR_FILE, content);
    await expect(readPreprocessor(folder)).rejects.toThrow(FormatError);
    await expect(readPreprocessor(folder)).rejects.toThrow(/preprocessor_config\.json.*\n.*image_/);
  });
});
