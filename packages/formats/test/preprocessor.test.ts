import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FormatError,
  PREPROCESSOR_FILE,
  clipNormalisation,
  imageProcessorConfig,
  preprocessorConfig,
  readNormalisation,
  readPreprocessor,
} from '../src/index';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-preprocessor-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const write = (name: string, content: unknown) => writeFile(join(folder, name), JSON.stringify(content));

const halves = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.5, 0.75] };

describe('what pictures are normalised with', () => {
  it.each<[string, string, unknown]>([
    [
      'a Hugging Face checkpoint',
      PREPROCESSOR_FILE,
      { image_processor_type: 'ViTImageProcessor', image_mean: halves.mean, image_std: halves.std },
    ],
    [
      'a timm checkpoint',
      'config.json',
      { architecture: 'vit_tiny', pretrained_cfg: { tag: 'a', ...halves } },
    ],
    ['an old timm checkpoint', 'config.json', { architecture: 'vit_tiny', num_classes: 2, ...halves }],
    ['an open_clip checkpoint', 'open_clip_config.json', { model_cfg: {}, preprocess_cfg: halves }],
    [
      'the processor of transformers 5',
      'processor_config.json',
      {
        processor_class: 'CLIPProcessor',
        image_processor: {
          ...{ image_processor_type: 'CLIPImageProcessor', image_mean: 0.5, image_std: halves.std },
          ...{ do_rescale: true, rescale_factor: 1 / 255, resample: 3, data_format: 'channels_first' },
          ...{ crop_size: { height: 16, width: 16 }, size: { shortest_edge: 16 }, device: null },
        },
      },
    ],
  ])('is read from %s', async (_what, name, content) => {
    await write(name, content);
    expect(await readNormalisation(folder)).toEqual(halves);
    await writeFile(join(folder, 'model.safetensors'), '');
    expect(await readNormalisation(join(folder, 'model.safetensors'))).toEqual(halves);
  });

  it('is read from the processor of transformers 5 before the file of its predecessors', async () => {
    const ours = { mean: [0.1, 0.2, 0.3], std: [1, 2, 3] };
    await write(PREPROCESSOR_FILE, { image_mean: ours.mean, image_std: ours.std });
    await write('processor_config.json', { processor_class: 'CLIPProcessor' });
    expect(await readNormalisation(folder)).toEqual(ours);
    await write('processor_config.json', {
      image_processor: { image_mean: halves.mean, image_std: halves.std },
    });
    expect(await readNormalisation(folder)).toEqual(halves);
  });

  it('is what the kind of processor usually has, where it does not say it', async () => {
    await write(PREPROCESSOR_FILE, { image_processor_type: 'ViTImageProcessorFast', do_normalize: null });
    expect(await readNormalisation(folder)).toEqual({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    await write(PREPROCESSOR_FILE, { feature_extractor_type: 'CLIPFeatureExtractor' });
    expect(await readNormalisation(folder)).toEqual(clipNormalisation);
  });

  it.each([
    [224, 224],
    [{ height: 224, width: 224 }, 224],
    [[224, 224], 224],
    [{ shortest_edge: 224 }, undefined],
  ])('comes with the size of the pictures: %j', async (size, side) => {
    const said = { image_mean: 0.5, image_std: 0.5, size };
    await write(PREPROCESSOR_FILE, said);
    expect(await readPreprocessor(folder)).toMatchObject({ imageSize: side });
    await write(PREPROCESSOR_FILE, { ...said, do_center_crop: true, crop_size: 192 });
    expect(await readPreprocessor(folder)).toMatchObject({ imageSize: 192 });
  });

  it.each<[string, string, object, string[]]>([
    ['a square', PREPROCESSOR_FILE, { size: { height: 224, width: 224 } }, ['squeezes']],
    ['a number of a ViT', PREPROCESSOR_FILE, { size: 224 }, ['squeezes']],
    ['a number of a CLIP', PREPROCESSOR_FILE, { size: 224, image_processor_type: 'CLIPImageProcessor' }, []],
    ['a square that is cut', PREPROCESSOR_FILE, { size: [256, 256], crop_size: 224 }, ['squeezes']],
    ['an edge', PREPROCESSOR_FILE, { size: { shortest_edge: 256 }, crop_size: 224, resample: 3 }, []],
    ['nothing resized', PREPROCESSOR_FILE, { size: 224, do_resize: false, resample: 2 }, []],
    ['bilinear', PREPROCESSOR_FILE, { size: { shortest_edge: 256 }, resample: 2 }, ['by bilinear']],
    ['timm', 'config.json', { architecture: 'vit_tiny', interpolation: 'bicubic', crop_mode: 'center' }, []],
    [
      'timm, otherwise',
      'config.json',
      {
        architecture: 'vit_tiny',
        pretrained_cfg: { interpolation: 'bilinear', crop_mode: 'squash', ...halves },
      },
      ['squeezes', 'by bilinear'],
    ],
    [
      'open_clip',
      'open_clip_config.json',
      { preprocess_cfg: { ...halves, size: 224, interpolation: 'bicubic', resize_mode: 'shortest' } },
      [],
    ],
    [
      'open_clip, otherwise',
      'open_clip_config.json',
      { preprocess_cfg: { ...halves, size: 224, resize_mode: 'longest' } },
      ['makes squares by longest'],
    ],
  ])(
    'says where its pictures come to their size otherwise than ours: %s',
    async (_what, name, said, ways) => {
      await write(
        name,
        name === PREPROCESSOR_FILE ? { ...said, image_mean: 0.5, image_std: 0.5 } : { ...halves, ...said },
      );
      const otherwise = (await readPreprocessor(folder))?.otherwise ?? [];
      expect(otherwise).toEqual(ways.map((way) => expect.stringContaining(way)));
    },
  );

  it.each<[string, string, object, number | undefined]>([
    ['DeiT', PREPROCESSOR_FILE, { size: 256, do_center_crop: true, crop_size: 224 }, 224 / 256],
    [
      'CLIP',
      PREPROCESSOR_FILE,
      { size: { shortest_edge: 224 }, crop_size: { height: 224, width: 224 } },
      undefined,
    ],
    ['nothing cut out', PREPROCESSOR_FILE, { size: 256, do_center_crop: false, crop_size: 224 }, undefined],
    ['a share', PREPROCESSOR_FILE, { crop_pct: 0.9 }, 0.9],
    ['timm', 'config.json', { architecture: 'vit_tiny', pretrained_cfg: { crop_pct: 0.9, ...halves } }, 0.9],
    ['older timm', 'config.json', { architecture: 'vit_tiny', crop_pct: 0.875, ...halves }, 0.875],
    ['all of it, of timm', 'config.json', { architecture: 'vit_tiny', crop_pct: 1, ...halves }, undefined],
  ])('comes with the share of a picture that is shown: %s', async (_what, name, said, share) => {
    await write(name, {
      ...(name === PREPROCESSOR_FILE ? { image_mean: 0.5, image_std: 0.5 } : {}),
      ...said,
    });
    expect((await readNormalisation(folder))?.shownShare).toBe(share);
  });

  it.each([
    ['another scale', { rescale_factor: 1 / 127.5 }, /at rescale_factor: expected 1\/255/],
    ['no scale', { do_rescale: false }, /at do_rescale: expected true/],
    ['a rectangle', { size: { height: 224, width: 112 } }, /at size: expected as high as wide/],
    ['blue before red', { do_flip_channel_order: true }, /at do_flip_channel_order: expected false/],
    ['what is not known', { gamma: 2.2 }, /at gamma: expected a field that Winnow knows/],
  ])('refuses %s', async (_what, fields, message) => {
    await write(PREPROCESSOR_FILE, { image_mean: [1, 2, 3], image_std: [1, 2, 3], ...fields });
    await expect(readNormalisation(folder)).rejects.toThrow(FormatError);
    await expect(readNormalisation(folder)).rejects.toThrow(message);
  });

  it('is nothing where a checkpoint says that it does not normalise', async () => {
    await write(PREPROCESSOR_FILE, { do_normalize: false, image_mean: halves.mean, image_std: halves.std });
    expect(await readNormalisation(folder)).toEqual({ mean: [0, 0, 0], std: [1, 1, 1] });
  });

  it('is not known where no file says it', async () => {
    expect(await readNormalisation(folder)).toBeUndefined();
    await write('config.json', { model_type: 'vit' });
    await write(PREPROCESSOR_FILE, { do_resize: true });
    expect(await readNormalisation(folder)).toBeUndefined();
  });

  it('comes back from the file that we write', async () => {
    const ours = { mean: [0.1, 0.2, 0.3], std: [1, 2, 3] } as const;
    await writeFile(join(folder, PREPROCESSOR_FILE), preprocessorConfig(ours));
    expect(await readNormalisation(folder)).toEqual(ours);
    const part = { ...ours, shownShare: 0.875 };
    await writeFile(join(folder, PREPROCESSOR_FILE), preprocessorConfig(part));
    expect(await readNormalisation(folder)).toEqual(part);
    await writeFile(join(folder, PREPROCESSOR_FILE), imageProcessorConfig(part, 224));
    expect(await readNormalisation(folder)).toEqual(part);
  });

  it.each([
    ['four channels', { image_mean: [1, 2, 3, 4], image_std: [1, 1, 1] }],
    ['a deviation of zero', { image_mean: [1, 2, 3], image_std: [1, 0, 1] }],
  ])('refuses %s', async (_what, content) => {
    await write(PREPROCESSOR_FILE, content);
    await expect(readNormalisation(folder)).rejects.toThrow(FormatError);
    await expect(readNormalisation(folder)).rejects.toThrow(/preprocessor_config\.json.*\n.*image_/);
  });
});
