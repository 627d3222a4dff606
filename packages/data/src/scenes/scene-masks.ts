import { DataError } from '../failure/data-error';
import type { FoundSegmentation, MaskFiles } from '../segmented/found-segmentation';
import { sceneGroups } from './concepts';
import { owners } from './occlusion';
import { classMask } from './paint';
import type { ScenePool } from './pool';
import { type ScenePictures, type SceneSet, scenePath, scenePictures } from './scene-files';

/**
 * Generated scenes, and which group of objects each pixel is of.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function sceneMasks(set: SceneSet): Promise<FoundSegmentation> {
  const scenes = await scenePictures(set);
  const { pools, notes, contents, files } = scenes;
  const examplesOf = (pool: ScenePool) =>
    pool.scenes.map((_, index) => ({ picture: scenePath(pool, index), mask: scenePath(pool, index) }));
  return {
    name: set.name,
    classes: ['background', ...sceneGroups.map(({ name }) => name)],
    notes,
    splits: {
      train: examplesOf(pools.train),
      validation: examplesOf(pools.validation),
      test: examplesOf(pools.test),
    },
    contents,
    files,
    masks: masksOfScenes(scenes),
  };
}

function masksOfScenes({ source, pools }: ScenePictures): MaskFiles {
  const { side } = source;
  const places = new Map(
    Object.values(pools).flatMap((pool) =>
      pool.scenes.map((scene, index) => [scenePath(pool, index), { scene, split: pool.split }] as const),
    ),
  );
  return {
    read: (path) => {
      const place = places.get(path);
      if (place === undefined) {
        throw new DataError({ expected: 'a scene', found: path, advice: 'Ask for one that is in the data.' });
      }
      const { layout } = place.scene;
      const labels = classMask(layout, owners(layout, source.drawingsOf(place.split)), 'group');
      return Promise.resolve({ width: side, height: side, labels });
    },
  };
}

const few = { train: 1000, validation: 200, test: 200 };

/** The data sets of scenes with masks. */
export const sceneMaskSets = [
  {
    name: 'scenes-masks',
    description:
      'generated scenes of emoji with masks of 8 groups and the background; tested on drawings by a vendor not trained on',
    test: 'new drawings',
  },
  {
    name: 'scenes-masks-small',
    description: 'the first 1,000 of these scenes for training, 200 for validation and 200 for the test',
    test: 'new drawings',
    sizes: few,
  },
  {
    name: 'scenes-masks-tiny',
    description:
      'the first 60 of these scenes for training, 20 for validation and 20 for the test: to try a command',
    test: 'new drawings',
    sizes: { train: 60, validation: 20, test: 20 },
  },
  {
    name: 'scenes-masks-pairs',
    description: 'the same scenes; tested on things in colours that they never had in training',
    test: 'new pairs',
  },
  {
    name: 'scenes-masks-blank',
    description: 'negative control: scenes-masks-small with grey pictures',
    test: 'new drawings',
    sizes: few,
    control: 'blank pictures',
  },
] as const satisfies readonly (SceneSet & { readonly description: string })[];
