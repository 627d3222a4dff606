import { type PictureNormalisation, clipNormalisation, halves } from './normalisation';

/** An image processor of `transformers` (5.24), with its values where a configuration does not say them. */
export interface ProcessorKind extends PictureNormalisation {
  /** Pillow's number of a filter. */
  readonly resample: number;
  readonly size: { readonly height: number; readonly width: number } | { readonly shortest_edge: number };
  /** Whether a size that is one number stands for both sides, rather than for the shorter one. */
  readonly toSquare: boolean;
  /** Side of the square that is cut out, where one is. */
  readonly crop?: number;
}

const [BILINEAR, BICUBIC] = [2, 3];
const square = (side: number) => ({ height: side, width: side });

const clip = {
  ...clipNormalisation,
  resample: BICUBIC,
  size: { shortest_edge: 224 },
  toSquare: false,
  crop: 224,
} as const satisfies ProcessorKind;

/** By the beginning of the class's name. */
export const processorKinds: Readonly<Record<string, ProcessorKind>> = {
  ViT: { ...halves, resample: BILINEAR, size: square(224), toSquare: true },
  DeiT: { ...halves, resample: BICUBIC, size: square(256), toSquare: true, crop: 224 },
  Bit: clip,
  CLIP: clip,
  Blip: { ...clipNormalisation, resample: BICUBIC, size: square(384), toSquare: true },
  Siglip: { ...halves, resample: BICUBIC, size: square(224), toSquare: false },
};

/** The processor that `transformers` has for each `model_type`. */
const kindsOfModels: Readonly<Record<string, string>> = {
  vit: 'ViT',
  vit_mae: 'ViT',
  vit_msn: 'ViT',
  ijepa: 'ViT',
  deit: 'DeiT',
  dinov2: 'Bit',
  dinov2_with_registers: 'Bit',
  clip: 'CLIP',
  clip_vision_model: 'CLIP',
  metaclip_2: 'CLIP',
  blip: 'Blip',
  siglip: 'Siglip',
  siglip_vision_model: 'Siglip',
};

/** The class that prepares the pictures of a type of model; undefined for an unknown one. */
export function processorOfModel(modelType: string | null | undefined): string | undefined {
  const kind = Object.entries(kindsOfModels).find(([type]) => type === modelType)?.[1];
  return kind === undefined ? undefined : `${kind}ImageProcessor`;
}

/** Names before version 5 and after: from any of these the library makes the one that resizes by torchvision. */
const CLASS = /^([A-Za-z]+?)(?:ImageProcessor|FeatureExtractor)(?:Fast|Pil)?$/;

/** The kind of a class by its name; undefined for one that is not known here. */
export function kindNamed(name: string): ProcessorKind | undefined {
  const [, beginning] = CLASS.exec(name) ?? [];
  return Object.entries(processorKinds).find(([kind]) => kind === beginning)?.[1];
}
