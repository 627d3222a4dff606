import { createHash } from 'node:crypto';
import type { RegionBox } from '@winnow/core';
import sharp from 'sharp';
import { drawingContents, emojiRecords, emojiVendors } from '../emoji/records';
import { DataError } from '../failure/data-error';
import type { ClassedObject } from '../grounded/told-data';
import type { DataIdentity } from '../identity/data-identity';
import type { PictureContents } from '../identity/picture-contents';
import { CHANNELS } from '../picture/picture';
import type { PictureFiles } from '../picture/read';
import { sceneConcepts } from './concepts';
import type { SceneControl } from './controls';
import { painted } from './paint';
import { type ScenePool, scenePool } from './pool';
import type { Box, Scene } from './scene';
import { type SceneSource, type SceneSplit, sceneSource, sceneSplits } from './splits';

/** Another number is another generator: the same seed gives other scenes or other texts. A test tells when it has to change. */
const GENERATOR = 1;
/** The level of blank pictures. */
const GREY = 128;

/** A data set of scenes. */
export interface SceneSet {
  readonly name: string;
  /** The split of scenes that is the test. */
  readonly test: 'new drawings' | 'new pairs';
  /** Scenes; default: those of `sceneSplits`. */
  readonly sizes?: { readonly train: number; readonly validation: number; readonly test: number };
  /** The part that is broken on purpose. */
  readonly control?: SceneControl;
}

/** The scenes of a data set, and their pictures as files that are made when they are read. */
export interface ScenePictures {
  readonly source: SceneSource;
  readonly pools: Readonly<Record<'train' | 'validation' | 'test', ScenePool>>;
  readonly notes: readonly string[];
  readonly contents: PictureContents;
  readonly files: PictureFiles;
  /** Boxes of the objects that are seen in a scene, by its path. */
  objectsIn(path: string): readonly RegionBox[];
  /** The same with what each is: its place among `sceneConcepts`. */
  classedIn(path: string): readonly ClassedObject[];
  /** The first two with more scenes, by their paths. */
  filesWith(more: ReadonlyMap<string, PlacedScene>): PictureFiles;
  objectsWith(more: ReadonlyMap<string, PlacedScene>): ScenePictures['objectsIn'];
}

/** A scene, and the split whose drawings it is painted with. */
export interface PlacedScene {
  readonly scene: Scene;
  readonly split: SceneSplit;
}

/** A box of pixels in shares of the picture. */
export const sharesOf = ({ left, top, right, bottom }: Box, side: number): RegionBox => [
  left / side,
  top / side,
  right / side,
  bottom / side,
];

/** The path by which a scene is known among files. */
export const scenePath = ({ split }: Pick<ScenePool, 'split'>, index: number): string =>
  `scenes/${split.replace(' ', '-')}/${index}.png`;

/** The generator, and the drawings that scenes are made of, by their names in the packages they come from. */
async function drawingsDigest(): Promise<string> {
  const records = new Map((await emojiRecords()).map((record) => [record.codePoints, record]));
  const paths = sceneConcepts.flatMap(({ codePoints }) => {
    const record = records.get(codePoints);
    return record === undefined ? [] : emojiVendors.map((vendor) => record.drawings[vendor]);
  });
  const names = await drawingContents(paths, undefined);
  return createHash('sha256')
    .update([GENERATOR, ...names].join('\n'))
    .digest('hex');
}

/**
 * Identifies a data set of scenes by what they are made of, without making them: the same recipe makes the same scenes and texts.
 * @param texts Which kind of texts it has.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function identityOfScenes({ name: _, ...set }: SceneSet, texts: string): Promise<DataIdentity> {
  const { test, sizes, control } = set;
  const recipe = [await drawingsDigest(), texts, test, sizes ?? null, control ?? null];
  return { scenes: createHash('sha256').update(JSON.stringify(recipe)).digest('hex') };
}

/**
 * Makes the scenes of a data set.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function scenePictures({ test, sizes, control }: SceneSet): Promise<ScenePictures> {
  const source = await sceneSource();
  const poolOf = (split: SceneSplit, size: number | undefined) =>
    scenePool(source, split, size ?? sceneSplits[split].size);
  const pools = {
    train: poolOf('train', sizes?.train),
    validation: poolOf('validation', sizes?.validation),
    test: poolOf(test, sizes?.test),
  };
  const blank = control === 'blank pictures';
  const recipe = [await drawingsDigest(), source.seed, source.side, blank];
  const places = new Map(
    Object.values(pools).flatMap((pool) =>
      pool.scenes.map((scene, index): [string, PlacedScene] => [
        scenePath(pool, index),
        { scene, split: pool.split },
      ]),
    ),
  );
  return {
    source,
    pools,
    notes: control === undefined ? [] : [`a negative control, ${control}: scores must fall to chance`],
    contents: (paths) => Promise.resolve(paths.map((path) => [...recipe, path].join('/'))),
    files: sceneFiles(source, places, blank),
    objectsIn: objectsOf(places),
    classedIn: (path) => {
      const scene = places.get(path)?.scene;
      return (scene?.objects ?? []).map(({ box, concept }) => ({
        box: sharesOf(box, scene?.side ?? 1),
        index: sceneConcepts.findIndex(({ name }) => name === concept),
      }));
    },
    objectsWith: (more) => objectsOf(new Map([...places, ...more])),
    filesWith: (more) => sceneFiles(source, new Map([...places, ...more]), blank),
  };
}

const objectsOf =
  (places: ReadonlyMap<string, PlacedScene>) =>
  (path: string): readonly RegionBox[] => {
    const scene = places.get(path)?.scene;
    return scene === undefined ? [] : scene.objects.map(({ box }) => sharesOf(box, scene.side));
  };

function sceneFiles(
  source: SceneSource,
  places: ReadonlyMap<string, PlacedScene>,
  blank: boolean,
): PictureFiles {
  const { side } = source;
  return {
    read: (path) => {
      const place = places.get(path);
      if (place === undefined) {
        throw new DataError({ expected: 'a scene', found: path, advice: 'Ask for one that is in the data.' });
      }
      const pixels = blank
        ? new Uint8Array(side * side * CHANNELS).fill(GREY)
        : painted(place.scene.layout, source.drawingsOf(place.split)).pixels;
      return sharp(pixels, { raw: { width: side, height: side, channels: CHANNELS } })
        .png({ compressionLevel: 1 })
        .toBuffer();
    },
  };
}
