import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError, PREPROCESSOR_FILE, preprocessorConfig, readNormalisation } from '../src/index';

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
    ['an open_clip checkpoint', 'open_clip_config.json', { model_cfg: {}, preprocess_cfg: halves }],
  ])('is read from %s', async (_what, name, content) => {
    await write(name, content);
    expect(await readNormalisation(folder)).toEqual(halves);
    await writeFile(join(folder, 'model.safetensors'), '');
    expect(await readNormalisation(join(folder, 'model.safetensors'))).toEqual(halves);
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
