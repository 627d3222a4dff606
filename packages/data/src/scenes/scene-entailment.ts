import { randomStream } from '@winnow/core';
import { type EntailmentExample, type FoundEntailment, entailmentLabels } from '../grounded/entailment-data';
import { deranged } from './controls';
import { type ScenePool, entailmentIn } from './pool';
import type { Scene } from './scene';
import { type PlacedScene, type SceneSet, scenePath, scenePictures } from './scene-files';

/**
 * Generated scenes with statements: each is true of one scene, false of another, and not told by a third, which differ by an exchange or
 * two: so the statement alone says nothing.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function sceneEntailment(set: SceneSet): Promise<FoundEntailment> {
  const { pools, notes, contents, filesWith, objectsWith, source } = await scenePictures(set);
  const more = new Map<string, PlacedScene>();
  const examplesOf = (pool: ScenePool): EntailmentExample[] => {
    const known = new Map(pool.scenes.map((scene, index) => [scene, scenePath(pool, index)]));
    const pathOf = (scene: Scene, name: string): string => {
      const found = known.get(scene);
      if (found !== undefined) return found;
      const path = `scenes/${pool.split.replace(' ', '-')}/entailed-${name}.png`;
      more.set(path, { scene, split: pool.split });
      return path;
    };
    const examples = entailmentIn(pool).flatMap(({ text, scenes }, index) =>
      entailmentLabels.map((label) => ({ picture: pathOf(scenes[label], `${index}-${label}`), text, label })),
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
  const shuffled = set.control === 'shuffled texts';
  return {
    name: set.name,
    notes: [
      ...notes,
      ...(shuffled
        ? []
        : ['each statement stands once with each label: its words alone are right for a third of any split']),
    ],
    splits,
    contents,
    files: filesWith(more),
    objectsIn: objectsWith(more),
  };
}

const few = { train: 1000, validation: 200, test: 200 };

/** The data sets of scenes with statements that are true of them, false, or not told. */
export const sceneEntailmentSets = [
  {
    name: 'scenes-entailment',
    description:
      'generated scenes of emoji with statements that are true of them, false, or not told by them; tested on drawings by a vendor not trained on',
    test: 'new drawings',
  },
  {
    name: 'scenes-entailment-small',
    description: 'the first 1,000 of these scenes for training, 200 for validation and 200 for the test',
    test: 'new drawings',
    sizes: few,
  },
  {
    name: 'scenes-entailment-tiny',
    description:
      'the first 60 of these scenes for training, 20 for validation and 20 for the test: to try a command',
    test: 'new drawings',
    sizes: { train: 60, validation: 20, test: 20 },
  },
  {
    name: 'scenes-entailment-pairs',
    description: 'the same scenes; tested on things in colours that they never had in training',
    test: 'new pairs',
  },
  {
    name: 'scenes-entailment-shuffled',
    description: 'negative control: scenes-entailment-small with the statements of others',
    test: 'new drawings',
    sizes: few,
    control: 'shuffled texts',
  },
  {
    name: 'scenes-entailment-blank',
    description: 'negative control: scenes-entailment-small with grey pictures',
    test: 'new drawings',
    sizes: few,
    control: 'blank pictures',
  },
] as const satisfies readonly (SceneSet & { readonly description: string })[];
