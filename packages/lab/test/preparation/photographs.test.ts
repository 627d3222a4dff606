import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPictures } from '@winnow/data';
import { python, pythonHas, runPython } from '@winnow/testkit';
import { type PreparationCase, difference, ends, preparedBy } from './prepared';

const shared =
  process.env['WINNOW_SHARED'] ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));
const clothing = join(shared, 'data', 'clothing');
const script = fileURLToPath(new URL('./references.py', import.meta.url));
const PHOTOGRAPHS = 100;

const imageNet = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };
const square = (side: number) => ({ height: side, width: side });
const huggingFace = (config: { readonly image_processor_type: string }): PreparationCase => ({
  name: config.image_processor_type,
  file: 'preprocessor_config.json',
  imageSize: 224,
  config,
});
const timm = (name: string, pretrained: object): PreparationCase => ({
  name,
  file: 'config.json',
  imageSize: 224,
  config: {
    architecture: 'vit_small_patch16_224',
    pretrained_cfg: { input_size: [3, 224, 224], ...pretrained },
  },
});
const openClip = (name: string, preprocessing: object): PreparationCase => ({
  name,
  file: 'open_clip_config.json',
  imageSize: 224,
  config: { model_cfg: {}, preprocess_cfg: { size: 224, ...preprocessing } },
});

/** As published checkpoints have them. */
const cases: readonly (PreparationCase & { readonly module: string })[] = [
  ...[
    huggingFace({ image_processor_type: 'ViTImageProcessor' }),
    huggingFace({ image_processor_type: 'DeiTImageProcessor', ...imageNet }),
    huggingFace({
      image_processor_type: 'BitImageProcessor',
      ...{ size: { shortest_edge: 256 }, crop_size: square(224), resample: 3, ...imageNet },
    }),
    huggingFace({ image_processor_type: 'CLIPImageProcessor' }),
    huggingFace({ image_processor_type: 'SiglipImageProcessor', ...{ size: square(224) } }),
  ].map((given) => ({ ...given, module: 'transformers' })),
  ...[
    timm('timm, bicubic, 0.9', { crop_pct: 0.9, interpolation: 'bicubic', mean: [0.5, 0.5, 0.5] }),
    timm('timm, bilinear, squeezed', { crop_pct: 1, crop_mode: 'squash', interpolation: 'bilinear' }),
  ].map((given) => ({ ...given, module: 'timm' })),
  ...[openClip('open_clip', {}), openClip('open_clip, longest', { resize_mode: 'longest' })].map((given) => ({
    ...given,
    module: 'open_clip',
  })),
];

const missing = (module: string): string | undefined => {
  if (!existsSync(clothing)) return 'no data/clothing in WINNOW_SHARED';
  const isThere = pythonHas([module, 'torchvision', 'PIL']);
  return isThere ? undefined : `${module} not in ${python()}; WINNOW_PEER_PYTHON names an interpreter`;
};

for (const given of cases) {
  const reason = missing(given.module);
  (reason === undefined ? test : test.skip)(
    `photographs of clothes are those of ${given.name} within 1/255${reason === undefined ? '' : ` (skipped: ${reason})`}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'winnow-photographs-'));
      try {
        const all = (await findPictures([clothing])).paths;
        const every = Math.floor(all.length / PHOTOGRAPHS);
        const paths = all.filter((_, place) => place % every === 0).slice(0, PHOTOGRAPHS);
        expect(paths).toHaveLength(PHOTOGRAPHS);
        runPython(script, 'compare', JSON.stringify([given]), folder, ...paths);
        const reference = ends.parse(JSON.parse(readFileSync(join(folder, '0.json'), 'utf8')));
        const levels = readFileSync(join(folder, '0.levels'));
        const images = await preparedBy(given, folder, paths);
        expect(difference(images, levels, reference)).toBeLessThan(1.01);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
}
