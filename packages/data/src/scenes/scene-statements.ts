import { randomStream } from '@winnow/core';
import type { FoundStatements, StatedExample } from '../grounded/statement-data';
import { deranged } from './controls';
import { type ScenePool, statementsIn } from './pool';
import type { Scene } from './scene';
import { type PlacedScene, type SceneSet, scenePath, scenePictures } from './scene-files';

/** Scenes in pairs; `alone` shows the left one in both places, so that nobody sees what differs. */
export interface SceneStatementSet extends SceneSet {
  readonly alone?: 'left';
}

/**
 * Generated scenes in pairs, with statements that are true of one pair and false of another, which differs by a swap or by one object: so
 * the statement alone says nothing.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function sceneStatements(set: SceneStatementSet): Promise<FoundStatements> {
  const { pools, notes, contents, filesWith, objectsWith, source } = await scenePictures(set);
  const more = new Map<string, PlacedScene>();
  const examplesOf = (pool: ScenePool): StatedExample[] => {
    const known = new Map(pool.scenes.map((scene, index) => [scene, scenePath(pool, index)]));
    const pathOf = (scene: Scene, name: string): string => {
      const found = known.get(scene);
      if (found !== undefined) return found;
      const path = `scenes/${pool.split.replace(' ', '-')}/exchanged-${name}.png`;
      more.set(path, { scene, split: pool.split });
      return path;
    };
    const examples = statementsIn(pool).flatMap(({ text, whenTrue, whenFalse }, index) =>
      [whenFalse, whenTrue].map(([left, right], label): StatedExample => {
        const picture = pathOf(left, `${index}-${label}-left`);
        const shown = set.alone === 'left' ? picture : pathOf(right, `${index}-${label}-right`);
        return { picture, right: shown, text, label: label === 1 ? 1 : 0 };
      }),
    );
    if (set.control !== 'shuffled texts') return examples;
    const texts = deranged(
      examples.map(({ text }) => text),
      randomStream(source.seed, 'control', pool.split),
    );
    return examples.map((example, index) => ({ ...example, text: texts[index] ?? example.text }));
  };
  const splits = {
    train: examplesOf(pools.train),
    validation: examplesOf(pools.validation),
    test: examplesOf(pools.test),
  };
  return {
    name: set.name,
    notes: [
      ...notes,
      ...(set.alone === undefined
        ? []
        : ['a negative control, one picture in both places: scores must fall']),
    ],
    splits,
    contents,
    files: filesWith(more),
    objectsIn: objectsWith(more),
  };
}

const few = { train: 1000, validation: 200, test: 200 };

/** The data sets of scenes with statements. */
export const sceneStatementSets = [
  {
    name: 'scenes-statements',
    description:
      'generated scenes of emoji in pairs, with statements that are true or false of both; tested on drawings by a vendor not trained on',
    test: 'new drawings',
  },
  {
    name: 'scenes-statements-small',
    description:
      'pairs of the first 1,000 of them for training, of 200 for validation and of 200 for the test',
    test: 'new drawings',
    sizes: few,
  },
  {
    name: 'scenes-statements-tiny',
    description: 'pairs of 60, 20 and 20 of them: to try a command',
    test: 'new drawings',
    sizes: { train: 60, validation: 20, test: 20 },
  },
  {
    name: 'scenes-statements-pairs',
    description: 'the same; tested on things in colours that they never had in training',
    test: 'new pairs',
  },
  {
    name: 'scenes-statements-left',
    description: 'negative control: scenes-statements with the left picture in both places',
    test: 'new drawings',
    alone: 'left',
  },
  {
    name: 'scenes-statements-shuffled',
    description: 'negative control: scenes-statements-small with the statements of others',
    test: 'new drawings',
    sizes: few,
    control: 'shuffled texts',
  },
  {
    name: 'scenes-statements-blank',
    description: 'negative control: scenes-statements-small with grey pictures',
    test: 'new drawings',
    sizes: few,
    control: 'blank pictures',
  },
] as const satisfies readonly (SceneStatementSet & { readonly description: string })[];
