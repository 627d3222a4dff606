import type { AnnotatedPicture, FoundDetection } from '../detected/found-detection';
import { sceneConcepts, sceneGroups } from './concepts';
import type { ScenePool } from './pool';
import { type SceneSet, scenePath, scenePictures } from './scene-files';

/** A data set of scenes whose objects are to be found. */
export interface SceneObjectSet extends SceneSet {
  /** Whether the classes are the 60 things or their 8 groups. */
  readonly classes: 'things' | 'groups';
}

const classesOf = ({ classes }: SceneObjectSet): readonly string[] =>
  (classes === 'things' ? sceneConcepts : sceneGroups).map(({ name }) => name);

/**
 * Generated scenes, and where their objects are: what is visible of them.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function sceneObjects(set: SceneObjectSet): Promise<FoundDetection> {
  const { pools, notes, contents, files } = await scenePictures(set);
  const classes = classesOf(set);
  const examplesOf = (pool: ScenePool): AnnotatedPicture[] =>
    pool.scenes.map(({ side, objects }, index) => ({
      picture: scenePath(pool, index),
      width: side,
      height: side,
      objects: objects.map(({ concept, group, box: { left, top, right, bottom } }) => ({
        index: classes.indexOf(set.classes === 'things' ? concept : group),
        box: [left, top, right, bottom],
        area: (right - left) * (bottom - top),
        isCrowd: false,
      })),
    }));
  return {
    name: set.name,
    classes,
    notes,
    splits: {
      train: examplesOf(pools.train),
      validation: examplesOf(pools.validation),
      test: examplesOf(pools.test),
    },
    contents,
    files,
  };
}

const few = { train: 1000, validation: 200, test: 200 };
const tiny = { train: 60, validation: 20, test: 20 };

/** The data sets of scenes whose objects are to be found. */
export const sceneObjectSets = [
  {
    name: 'scenes-detection',
    description:
      'generated scenes of emoji with boxes of things of 60 classes; tested on drawings by a vendor not trained on',
    test: 'new drawings',
    classes: 'things',
  },
  {
    name: 'scenes-detection-groups',
    description: 'the same scenes with 8 classes: animals, tools, …',
    test: 'new drawings',
    classes: 'groups',
  },
  {
    name: 'scenes-detection-small',
    description: 'the first 1,000 of these scenes for training, 200 for validation and 200 for the test',
    test: 'new drawings',
    sizes: few,
    classes: 'things',
  },
  {
    name: 'scenes-detection-tiny',
    description:
      'the first 60 of these scenes for training, 20 for validation and 20 for the test: to try a command',
    test: 'new drawings',
    sizes: tiny,
    classes: 'things',
  },
  {
    name: 'scenes-detection-groups-tiny',
    description: 'the same 60, 20 and 20 scenes with 8 classes: to try a command',
    test: 'new drawings',
    sizes: tiny,
    classes: 'groups',
  },
  {
    name: 'scenes-detection-pairs',
    description: 'the same scenes; tested on things in colours that they never had in training',
    test: 'new pairs',
    classes: 'things',
  },
  {
    name: 'scenes-detection-blank',
    description: 'negative control: scenes-detection-small with grey pictures',
    test: 'new drawings',
    sizes: few,
    control: 'blank pictures',
    classes: 'things',
  },
] as const satisfies readonly (SceneObjectSet & { readonly description: string })[];
