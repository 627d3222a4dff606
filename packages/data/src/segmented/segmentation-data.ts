import {
  type Augmentation,
  type Dataset,
  type PictureSize,
  type SegmentationBatch,
  type Sides,
  type Splits,
  type WholePicture,
  randomStream,
  sidesOf,
} from '@winnow/core';
import { DataError } from '../failure/data-error';
import { duplicateNotes, sharedPictures } from '../identity/duplicates';
import { allOf, namingAllBroken, refuseBroken } from '../picture/broken';
import { sizeAfter } from '../picture/geometry';
import {
  type Normalisation,
  type Normalise,
  imageNetNormalisation,
  normaliser,
} from '../picture/normalisation';
import type { PictureCache } from '../picture/pack';
import { CHANNELS, type Picture, middleOf } from '../picture/picture';
import { pictureReader } from '../picture/read';
import { resample } from '../picture/resample';
import type { FoundSegmentation, SegmentedPicture } from './found-segmentation';
import type { Mask } from './index-png';
import { middleOfMask, resizedMask } from './mask-size';
import { type MaskedPicture, randomCrop } from './random-crop';

export interface SegmentationDataOptions {
  /** H and W of the pictures, in pixels. */
  readonly imageSize: PictureSize;
  /** Default: ImageNet's. */
  readonly normalisation?: Normalisation;
  /** Whether training pictures are varied, by `randomCrop`. Default true. */
  readonly varied?: boolean;
  /** Memory for decoded training pictures with their masks. Default 512 MiB. */
  readonly cacheBytes?: number;
  /** When all pictures are looked at: at opening, at opening if there are up to 500, or when they are used. Default: the last. */
  readonly preload?: boolean | 'background';
  /** Where hashes of files are kept. */
  readonly pictureCache?: PictureCache;
}

/** Pictures with masks, ready for a model of one input size. */
export interface SegmentationData extends Splits<SegmentationBatch> {
  readonly name: string;
  readonly imageSize: PictureSize;
  readonly channels: number;
  readonly classes: readonly string[];
  /** A line each. */
  readonly notes: readonly string[];
  /** Notes on pictures that splits share. @throws {DataError} when a file cannot be read. */
  duplicates(): Promise<readonly string[]>;
}

const DEFAULT_CACHE_BYTES = 512 * 1024 * 1024;
/** As for other data: so few are looked at at once. */
const FEW = 500;
const LOADS_IN_FLIGHT = 64;
/** Training pictures are kept so many times as large as they have to be: scaled up further they show nothing new. */
const WORKING_SCALE = 1.5;
const arithmetic = { interpolation: 'bilinear', arithmetic: 'pillow' } as const;

/**
 * Pictures with masks as data for training and evaluation. Training shows crops of H×W; evaluation the middle, and beside it the whole
 * picture, scaled so that it covers H×W, with the truth at its own size.
 * @throws {RangeError} on options outside their range. @throws {DataError} on broken files with `preload`.
 */
export async function segmentationData(
  found: FoundSegmentation,
  options: SegmentationDataOptions,
): Promise<SegmentationData> {
  const { imageSize, varied = true, preload = false, cacheBytes = DEFAULT_CACHE_BYTES } = options;
  const normalise = normaliser(options.normalisation ?? imageNetNormalisation);
  const load = loader(found);
  const size = sidesOf(imageSize);
  const training = kept(cacheBytes, (example) => load(example, workingSize(size)));
  const exact = (example: SegmentedPicture) => load(example, () => size);
  const { train, validation, test } = found.splits;
  const datasetOf = (
    examples: readonly SegmentedPicture[],
    isVaried: boolean,
  ): Dataset<SegmentationBatch> => {
    const dataset: Dataset<SegmentationBatch> = {
      size: examples.length,
      batch: async (indices, augmentation) => {
        const own = indices.map((index) => exampleAt(examples, index));
        const { values, problems } = await allOf(
          own.map((example) => (isVaried && augmentation !== undefined ? training(example) : exact(example))),
        );
        refuseBroken(problems);
        return isVaried && augmentation !== undefined
          ? cropped(values, indices, augmentation, imageSize, normalise)
          : evaluated(values, size, normalise);
      },
    };
    const byPicture = new Map(examples.map((example) => [example.picture, example]));
    return namingAllBroken({
      dataset,
      paths: [...byPicture.keys()],
      load: (path) => exact(byPicture.get(path) ?? exampleAt(examples, -1)),
    });
  };
  const all = [...train, ...validation, ...test];
  if (preload === true || (preload === 'background' && all.length <= FEW)) await checkAll(all, exact);
  const paths = {
    train: train.map(({ picture }) => picture),
    validation: validation.map(({ picture }) => picture),
    test: test.map(({ picture }) => picture),
  };
  return {
    name: found.name,
    classes: found.classes,
    notes: found.notes,
    imageSize,
    channels: CHANNELS,
    duplicates: async () => duplicateNotes(await sharedPictures(paths, found.contents, options.pictureCache)),
    train: datasetOf(train, varied),
    validation: datasetOf(validation, false),
    test: datasetOf(test, false),
  };
}

function exampleAt(examples: readonly SegmentedPicture[], index: number): SegmentedPicture {
  const example = examples[index];
  if (example !== undefined) return example;
  throw new RangeError(`expected an index below ${examples.length}, got ${index}`);
}

async function checkAll(
  examples: readonly SegmentedPicture[],
  load: (example: SegmentedPicture) => Promise<unknown>,
): Promise<void> {
  const problems: DataError[] = [];
  for (let start = 0; start < examples.length; start += LOADS_IN_FLIGHT) {
    const loads = examples.slice(start, start + LOADS_IN_FLIGHT).map(load);
    problems.push(...(await allOf(loads)).problems);
  }
  refuseBroken(problems);
}

/** A decoded picture that covers a size, with its mask as it is. */
type Load = (example: SegmentedPicture, sizeFor: (own: Sides) => Sides) => Promise<MaskedPicture>;

function loader({ files, masks }: FoundSegmentation): Load {
  const reader = pictureReader(files);
  return async ({ picture: path, mask: maskPath }, sizeFor) => {
    const mask = await masks.read(maskPath);
    const picture = await reader.readWhole(path, (whole) => {
      if (whole.width !== mask.width || whole.height !== mask.height)
        throw otherSize(whole, mask, path, maskPath);
      const to = sizeAfter(whole, { kind: 'cover', ...sizeFor(whole) });
      const window = { left: 0, top: 0, ...to };
      return resample(whole, to, arithmetic, window);
    });
    return { picture, mask };
  };
}

const otherSize = (picture: Sides, mask: Sides, path: string, maskPath: string): DataError =>
  new DataError({
    expected: `a mask of ${picture.width}×${picture.height} pixels in ${maskPath}, as its picture ${path} has them`,
    found: `${mask.width}×${mask.height}`,
    advice: 'Scale the mask without new numbers between the old ones, or remove both.',
  });

/** The size that a training picture is kept in: somewhat larger than what is cut out of it, and never larger than it is. */
const workingSize =
  ({ height, width }: Sides) =>
  (own: Sides): Sides => {
    const scale = Math.min(WORKING_SCALE, Math.min(own.height / height, own.width / width));
    return { height: Math.max(1, height * scale), width: Math.max(1, width * scale) };
  };

/** Pictures that were loaded before, until the memory for them is full; a mask takes as many bytes as a channel. */
function kept(
  bytes: number,
  load: (example: SegmentedPicture) => Promise<MaskedPicture>,
): (example: SegmentedPicture) => Promise<MaskedPicture> {
  const known = new Map<string, MaskedPicture>();
  let used = 0;
  return async (example) => {
    const before = known.get(example.picture);
    if (before !== undefined) return before;
    const { picture, mask } = await load(example);
    const own = { picture, mask: resizedMask(mask, picture) };
    const size = own.picture.pixels.byteLength + own.mask.labels.byteLength;
    if (used + size <= bytes && !known.has(example.picture)) {
      used += size;
      known.set(example.picture, own);
    }
    return own;
  };
}

function cropped(
  examples: readonly MaskedPicture[],
  indices: readonly number[],
  { seed, epoch }: Augmentation,
  imageSize: PictureSize,
  normalise: Normalise,
): SegmentationBatch {
  const { height, width } = sidesOf(imageSize);
  const pixels = height * width;
  const images = new Float32Array(examples.length * pixels * CHANNELS);
  const masks = new Uint8Array(examples.length * pixels);
  examples.forEach((example, place) => {
    const random = randomStream(seed, 'crop', epoch, indices[place] ?? 0);
    const { picture, mask, shown } = randomCrop(example, imageSize, random);
    normalise(picture.pixels, images, place * pixels * CHANNELS);
    masks.set(mask.labels, place * pixels);
    // What lies beyond the picture is 0, whatever black is.
    for (let y = 0; y < height; y++) {
      const from = (place * pixels + y * width + (y < shown.height ? shown.width : 0)) * CHANNELS;
      images.fill(0, from, (place * pixels + (y + 1) * width) * CHANNELS);
    }
  });
  return { size: examples.length, images, masks };
}

function evaluated(examples: readonly MaskedPicture[], size: Sides, normalise: Normalise): SegmentationBatch {
  const pixels = size.height * size.width;
  const images = new Float32Array(examples.length * pixels * CHANNELS);
  const masks = new Uint8Array(examples.length * pixels);
  examples.forEach(({ picture, mask }, place) => {
    normalise(middleOf(picture, size).pixels, images, place * pixels * CHANNELS);
    masks.set(middleOfMask(resizedMask(mask, picture), size).labels, place * pixels);
  });
  const areWhole = examples.every(
    (example) => isOfSize(example.picture, size) && isOfSize(example.mask, size),
  );
  const batch = { size: examples.length, images, masks };
  return areWhole ? batch : { ...batch, wholes: examples.map((example) => wholeOf(example, normalise)) };
}

const isOfSize = ({ height, width }: Sides, size: Sides): boolean =>
  height === size.height && width === size.width;

function wholeOf({ picture, mask }: { picture: Picture; mask: Mask }, normalise: Normalise): WholePicture {
  const pixels = new Float32Array(picture.pixels.length);
  normalise(picture.pixels, pixels, 0);
  const { height, width } = picture;
  return { height, width, pixels, mask: mask.labels, maskHeight: mask.height, maskWidth: mask.width };
}
