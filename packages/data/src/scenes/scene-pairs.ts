import { createHash } from 'node:crypto';
import { randomStream } from '@winnow/core';
import sharp from 'sharp';
import { drawingContents, emojiRecords, emojiVendors } from '../emoji/records';
import { counted } from '../failure/counted';
import { DataError } from '../failure/data-error';
import type { PairGroup } from '../pairs/group';
import { type ImageTextOptions, type TokenizedImageTextData, imageTextData } from '../pairs/image-text-data';
import type { FoundPairs } from '../pairs/splits';
import { CHANNELS } from '../picture/picture';
import { sceneConcepts } from './concepts';
import { type SceneControl, deranged } from './controls';
import { painted } from './paint';
import { captionsIn, scenePool } from './pool';
import { type SceneSource, type SceneSplit, sceneSource, sceneSplits } from './splits';

/** Another number is another generator: the same seed gives other scenes. */
const GENERATOR = 1;

export interface SceneCaptionOptions {
  readonly name: string;
  /** The split of scenes that is the test. */
  readonly test: 'new drawings' | 'new pairs';
  /** Default: those of `sceneSplits`. */
  readonly sizes?: { readonly train: number; readonly validation: number; readonly test: number };
  /** What is broken on purpose. */
  readonly control?: Exclude<SceneControl, 'permuted boxes'>;
}

const pathOf = (split: SceneSplit, index: number): string => `scenes/${split.replace(' ', '-')}/${index}.png`;

/** The drawings that scenes are made of, by their names in the packages they come from. */
async function drawingsDigest(): Promise<string> {
  const records = new Map((await emojiRecords()).map((record) => [record.codePoints, record]));
  const paths = sceneConcepts.flatMap(({ codePoints }) => {
    const record = records.get(codePoints);
    return record === undefined ? [] : emojiVendors.map((vendor) => record.drawings[vendor]);
  });
  return createHash('sha256')
    .update((await drawingContents(paths, undefined)).join('\n'))
    .digest('hex');
}

/** PNG files of scenes, made when they are read. */
function scenesAsFiles(
  source: SceneSource,
  places: ReadonlyMap<string, readonly [SceneSplit, number]>,
  blank: boolean,
) {
  const { side } = source;
  return {
    read: (path: string): Promise<Buffer> => {
      const place = places.get(path);
      if (place === undefined) {
        throw new DataError({ expected: 'a scene', found: path, advice: 'Ask for one that is in the data.' });
      }
      const [split, index] = place;
      const pixels = blank
        ? new Uint8Array(side * side * CHANNELS).fill(128)
        : painted(source.at(split, index).layout, source.drawingsOf(split)).pixels;
      return sharp(pixels, { raw: { width: side, height: side, channels: CHANNELS } })
        .png({ compressionLevel: 1 })
        .toBuffer();
    },
  };
}

/**
 * Generated scenes with five captions each. Of the held-out splits, captions are true of one scene alone where the generator finds
 * such ones; a note says how many are not.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function sceneCaptionPairs({
  name,
  test,
  sizes,
  control,
}: SceneCaptionOptions): Promise<FoundPairs> {
  const source = await sceneSource();
  const places = new Map<string, readonly [SceneSplit, number]>();
  const notes: string[] = [];
  const groupsOf = (split: SceneSplit, size: number): PairGroup[] => {
    const { captions, ambiguous } = captionsIn(scenePool(source, split, size));
    if (split !== 'train' && ambiguous > 0) {
      notes.push(
        `${counted(ambiguous, 'caption')} of the ${split} are true of another of its scenes as well, and count for one`,
      );
    }
    const texts = captions.map((own) => own.map(({ text }) => text));
    const said =
      control === 'shuffled texts' ? deranged(texts, randomStream(source.seed, 'control', split)) : texts;
    return said.map((own, index) => {
      const path = pathOf(split, index);
      places.set(path, [split, index]);
      return { pictures: [path], texts: own };
    });
  };
  const splits = {
    train: groupsOf('train', sizes?.train ?? sceneSplits.train.size),
    validation: groupsOf('validation', sizes?.validation ?? sceneSplits.validation.size),
    test: groupsOf(test, sizes?.test ?? sceneSplits[test].size),
  };
  const broken = control === undefined ? [] : [`a negative control, ${control}: scores must fall to chance`];
  const blank = control === 'blank pictures';
  const recipe = [GENERATOR, await drawingsDigest(), source.seed, source.side, blank];
  return {
    name,
    notes: [...broken, ...notes],
    splits,
    contents: (paths) => Promise.resolve(paths.map((path) => [...recipe, path].join('/'))),
    files: scenesAsFiles(source, places, blank),
  };
}

/**
 * {@link sceneCaptionPairs} as data for training and evaluation. Pictures are not varied unless told otherwise: a crop or a flip would
 * make captions false.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 * @throws {RangeError} on options outside their range.
 */
export async function sceneCaptions(
  scenes: SceneCaptionOptions,
  options: ImageTextOptions,
): Promise<TokenizedImageTextData> {
  return imageTextData(await sceneCaptionPairs(scenes), options, 'none');
}

/** The data sets of scenes with captions. */
export const sceneCaptionSets = [
  {
    name: 'scenes-captions',
    description:
      'generated scenes of emoji with five captions each; tested on drawings by a vendor not trained on',
    test: 'new drawings',
  },
  {
    name: 'scenes-captions-small',
    description: 'the first 1,000 of them for training, 200 for validation and 200 for the test',
    test: 'new drawings',
    sizes: { train: 1000, validation: 200, test: 200 },
  },
  {
    name: 'scenes-captions-pairs',
    description: 'the same scenes; tested on things in colours that they never had in training',
    test: 'new pairs',
  },
  {
    name: 'scenes-captions-shuffled',
    description: 'negative control: scenes-captions-small with the captions of other scenes',
    test: 'new drawings',
    sizes: { train: 1000, validation: 200, test: 200 },
    control: 'shuffled texts',
  },
  {
    name: 'scenes-captions-blank',
    description: 'negative control: scenes-captions-small with grey pictures',
    test: 'new drawings',
    sizes: { train: 1000, validation: 200, test: 200 },
    control: 'blank pictures',
  },
] as const satisfies readonly (SceneCaptionOptions & { readonly description: string })[];
