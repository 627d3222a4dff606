import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PictureGeometry } from '@winnow/core';
import {
  FormatError,
  PREPROCESSOR_FILE,
  clipNormalisation,
  readPreparation,
  readPreprocessor,
  usualPreprocessor,
} from '../src/index';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-preprocessor-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const write = (name: string, content: unknown) => writeFile(join(folder, name), JSON.stringify(content));

const halves = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const torch = { arithmetic: 'torch', halves: 'down' } as const;
const pillow = { arithmetic: 'pillow', halves: 'even' } as const;

describe('how pictures come to their size', () => {
  const squash = (side: number) => ({ kind: 'squash', height: side, width: side }) as const;
  const shortest = (edge: number) => ({ kind: 'shortest', edge }) as const;
  it.each<[string, string, object, PictureGeometry]>([
    [
      'a ViT that says nothing',
      PREPROCESSOR_FILE,
      { image_processor_type: 'ViTImageProcessorFast' },
      { resize: squash(224), interpolation: 'bilinear', ...torch },
    ],
    [
      'a ViT with one number',
      PREPROCESSOR_FILE,
      { feature_extractor_type: 'ViTFeatureExtractor', size: 224, resample: 3 },
      { resize: squash(224), interpolation: 'bicubic', ...torch },
    ],
    [
      'a DeiT',
      PREPROCESSOR_FILE,
      { image_processor_type: 'DeiTImageProcessor' },
      { resize: squash(256), interpolation: 'bicubic', ...torch },
    ],
    [
      'a DINOv2',
      PREPROCESSOR_FILE,
      { image_processor_type: 'BitImageProcessor', size: { shortest_edge: 256 }, crop_size: 224 },
      { resize: shortest(256), interpolation: 'bicubic', ...torch },
    ],
    [
      'a CLIP with one number',
      PREPROCESSOR_FILE,
      { image_processor_type: 'CLIPImageProcessorPil', size: 224 },
      { resize: shortest(224), interpolation: 'bicubic', ...torch },
    ],
    [
      'a SigLIP',
      PREPROCESSOR_FILE,
      { image_processor_type: 'SiglipImageProcessor', size: { height: 224, width: 224 }, resample: 1 },
      { resize: squash(224), interpolation: 'lanczos', ...torch },
    ],
    [
      'a longest edge',
      PREPROCESSOR_FILE,
      { image_processor_type: 'BitImageProcessor', size: { shortest_edge: 224, longest_edge: 300 } },
      { resize: { kind: 'shortest', edge: 224, longest: 300 }, interpolation: 'bicubic', ...torch },
    ],
    [
      'nothing resized',
      PREPROCESSOR_FILE,
      { image_processor_type: 'CLIPImageProcessor', do_resize: false },
      { resize: { kind: 'kept' }, interpolation: 'bicubic', ...torch },
    ],
    [
      'timm that says nothing',
      'config.json',
      { architecture: 'vit_tiny' },
      { resize: shortest(256), interpolation: 'bicubic', ...pillow },
    ],
    [
      'timm',
      'config.json',
      { architecture: 'vit_tiny', pretrained_cfg: { crop_pct: 0.9, interpolation: 'bilinear' } },
      { resize: shortest(248), interpolation: 'bilinear', ...pillow },
    ],
    [
      'timm that squeezes',
      'config.json',
      { architecture: 'vit_tiny', pretrained_cfg: { crop_pct: 1, crop_mode: 'squash' } },
      { resize: squash(224), interpolation: 'bicubic', ...pillow },
    ],
    [
      'timm with a border',
      'config.json',
      { architecture: 'vit_tiny', pretrained_cfg: { crop_pct: 1, crop_mode: 'border', ...halves } },
      { resize: { kind: 'longest', edge: 224 }, interpolation: 'bicubic', ...pillow, fill: [128, 128, 128] },
    ],
    [
      'open_clip that says nothing',
      'open_clip_config.json',
      { model_cfg: {} },
      { resize: shortest(224), interpolation: 'bicubic', ...pillow },
    ],
    [
      'open_clip that squeezes',
      'open_clip_config.json',
      { preprocess_cfg: { size: [256, 256], resize_mode: 'squash', interpolation: 'bilinear' } },
      { resize: squash(224), interpolation: 'bilinear', ...pillow },
    ],
    [
      'open_clip that fits them in',
      'open_clip_config.json',
      { preprocess_cfg: { size: 224, resize_mode: 'longest', fill_color: 255 } },
      { resize: { kind: 'longest', edge: 224 }, interpolation: 'bicubic', ...pillow, fill: [255, 255, 255] },
    ],
  ])('is read from %s', async (_what, name, said, geometry) => {
    await write(name, said);
    expect((await readPreparation(folder, 224))?.geometry).toEqual(geometry);
  });

  it('is the usual way of the type of model, where nothing says it', async () => {
    await write('config.json', { model_type: 'dinov2' });
    const found = await readPreprocessor(folder);
    expect(found).toMatchObject({ file: undefined, usual: 'BitImageProcessor' });
    expect(found?.at(224)).toMatchObject({ ...clipNormalisation, geometry: { resize: shortest(224) } });
    await write(PREPROCESSOR_FILE, { image_mean: 0.5, image_std: 0.5 });
    expect((await readPreprocessor(folder))?.at(224)).toMatchObject({
      ...halves,
      geometry: { resize: shortest(224) },
    });
  });

  it('is the usual way of the library, where there is no file at all', () => {
    expect(usualPreprocessor('timm', undefined)?.at(112)).toMatchObject({
      mean: [0.485, 0.456, 0.406],
      geometry: { resize: shortest(128) },
    });
    expect(usualPreprocessor('open_clip', clipNormalisation)?.at(112)).toMatchObject({
      ...clipNormalisation,
      geometry: { resize: shortest(112) },
    });
    expect(usualPreprocessor('Hugging Face', undefined)).toBeUndefined();
  });

  it('is not known where no file says it', async () => {
    expect(await readPreprocessor(folder)).toBeUndefined();
    await write('config.json', { model_type: 'another' });
    await write(PREPROCESSOR_FILE, { do_resize: true });
    expect(await readPreprocessor(folder)).toBeUndefined();
  });

  it('is in proportion for models of other pictures', async () => {
    const said = { size: { shortest_edge: 256 }, crop_size: { height: 224, width: 224 } };
    await write(PREPROCESSOR_FILE, { image_processor_type: 'BitImageProcessor', ...said });
    expect((await readPreparation(folder, 112))?.geometry?.resize).toEqual(shortest(128));
    expect(await readPreprocessor(folder)).toMatchObject({ imageSize: 224, notes: [] });
  });

  it('is the share of a shorter side in files of earlier versions', async () => {
    await write(PREPROCESSOR_FILE, { image_mean: 0.5, image_std: 0.5, crop_pct: 0.875 });
    expect(await readPreparation(folder, 224)).toEqual({ ...halves, shownShare: 0.875 });
  });

  it('cuts out no more than a short side has, where no size to cut to is said', async () => {
    await write(PREPROCESSOR_FILE, {
      image_processor_type: 'CLIPImageProcessor',
      size: { shortest_edge: 16 },
    });
    const found = await readPreprocessor(folder);
    expect(found?.imageSize).toBeUndefined();
    expect(found?.notes).toEqual([expect.stringContaining('says no crop_size')]);
    expect(found?.at(16).geometry?.resize).toEqual(shortest(16));
    expect(found?.at(32).geometry?.resize).toEqual(shortest(32));
    // As in transformers, whose pictures of 16 px lie in a black border.
    expect(found?.at(224).geometry?.resize).toEqual(shortest(16));
  });

  it('cuts out the usual square of longer sides', async () => {
    await write(PREPROCESSOR_FILE, {
      image_processor_type: 'CLIPImageProcessor',
      size: { shortest_edge: 256 },
    });
    const found = await readPreprocessor(folder);
    expect([found?.imageSize, found?.notes]).toEqual([224, []]);
    expect(found?.at(224).geometry?.resize).toEqual(shortest(256));
  });

  it('makes rectangles where it says so, and for models of rectangles', async () => {
    const tall = { height: 224, width: 112 };
    await write(PREPROCESSOR_FILE, { image_processor_type: 'ViTImageProcessor', size: tall });
    const squeezed = await readPreprocessor(folder);
    expect([squeezed?.imageSize, squeezed?.notes]).toEqual([tall, []]);
    expect(squeezed?.at({ height: 64, width: 64 }).geometry?.resize).toEqual({
      kind: 'squash',
      height: 64,
      width: 64,
    });
    await write(PREPROCESSOR_FILE, {
      image_processor_type: 'BitImageProcessor',
      size: { shortest_edge: 256 },
      crop_size: tall,
    });
    const cut = await readPreprocessor(folder);
    expect(cut?.imageSize).toEqual(tall);
    expect(cut?.at(tall).geometry?.resize).toEqual(shortest(256));
    expect(cut?.at({ height: 112, width: 56 }).geometry?.resize).toEqual(shortest(128));
    expect(cut?.at(112).geometry?.resize).toEqual({ kind: 'cover', height: 128, width: 256 });
  });

  it('is refused for rectangles with a longest edge that is that of no side', async () => {
    const size = { shortest_edge: 256, longest_edge: 512 };
    await write(PREPROCESSOR_FILE, { image_processor_type: 'BitImageProcessor', size, crop_size: 224 });
    const found = await readPreprocessor(folder);
    expect(found?.at(112).geometry?.resize).toEqual({ kind: 'shortest', edge: 128, longest: 256 });
    expect(() => found?.at({ height: 64, width: 32 })).toThrow(FormatError);
    expect(() => found?.at({ height: 64, width: 32 })).toThrow(
      /preprocessor_config\.json: for a model of 64 × 32 px: expected no longest edge/,
    );
  });

  it('says that a middle is cut out where nothing makes squares', async () => {
    await write(PREPROCESSOR_FILE, {
      image_processor_type: 'CLIPImageProcessor',
      do_center_crop: false,
      size: { shortest_edge: 224 },
    });
    const found = await readPreprocessor(folder);
    expect(found?.notes).toEqual([expect.stringContaining('here their middle is cut out')]);
    expect(found?.at(112).geometry?.resize).toEqual(shortest(112));
  });

  it.each([
    ['a moved scale', { rescale_offset: true }, /at rescale_offset: expected false/],
    ['another size', { size: { max_height: 224, max_width: 224 } }, /at size/],
    ['a picture that is too large', { size: 5000 }, /at size/],
    ['blue before red', { do_flip_channel_order: true }, /at do_flip_channel_order: expected false/],
    ['what is not known', { gamma: 2.2 }, /at gamma: expected a field that Winnow knows/],
    [
      'another class',
      { image_processor_type: 'BeitImageProcessor' },
      /at image_processor_type: expected ViTImageProcessor, .*, got BeitImageProcessor: if it prepares/,
    ],
    [
      'a share beside a class',
      { image_processor_type: 'ViTImageProcessor', crop_pct: 0.9 },
      /at crop_pct: expected none/,
    ],
  ])('is not read from %s', async (_what, fields, message) => {
    await write(PREPROCESSOR_FILE, { image_mean: [1, 2, 3], image_std: [1, 2, 3], ...fields });
    await expect(readPreprocessor(folder)).rejects.toThrow(FormatError);
    await expect(readPreprocessor(folder)).rejects.toThrow(message);
  });

  it.each<[string, string, object, RegExp]>([
    ['timm', 'config.json', { architecture: 'a', crop_mode: 'zoom' }, /at crop_mode/],
    ['timm', 'config.json', { architecture: 'a', pretrained_cfg: { interpolation: 'x' } }, /interpolation/],
    ['open_clip', 'open_clip_config.json', { preprocess_cfg: { resize_mode: 'x' } }, /resize_mode/],
  ])('is refused by name where %s says what it is not', async (_what, name, said, message) => {
    await write(name, said);
    await expect(readPreprocessor(folder)).rejects.toThrow(message);
  });

  it('is bounded for the size of the model', async () => {
    await write('config.json', { architecture: 'a', crop_pct: 0.01 });
    const found = await readPreprocessor(folder);
    expect(() => found?.at(224)).toThrow(/scales pictures to more than 4096 px/);
  });
});
