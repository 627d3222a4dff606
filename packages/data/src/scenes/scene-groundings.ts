import { type RegionBox, randomStream } from '@winnow/core';
import type { FoundGroundings, GroundedExample } from '../grounded/grounded-example';
import { deranged } from './controls';
import type { Expression } from './expressions';
import { type ScenePool, expressionsIn } from './pool';
import { type SceneSet, scenePath, scenePictures, sharesOf } from './scene-files';

interface Referring {
  readonly scene: number;
  readonly expression: Expression;
  readonly box: RegionBox;
}

function referringIn(pool: ScenePool): Referring[] {
  return expressionsIn(pool).flatMap((own, scene) =>
    own.flatMap((expression) => {
      const about = pool.scenes[scene];
      const object = about?.objects[expression.span.objects[0] ?? -1];
      return about === undefined || object === undefined
        ? []
        : [{ scene, expression, box: sharesOf(object.box, about.side) }];
    }),
  );
}

/**
 * Generated scenes with referring expressions, up to three of a scene, each with the box of the one object it means; its root noun
 * phrase names the object.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function sceneGroundings(set: SceneSet): Promise<FoundGroundings> {
  const { pools, notes, contents, files, objectsIn, source } = await scenePictures(set);
  const examplesOf = (pool: ScenePool): GroundedExample[] => {
    const referring = referringIn(pool);
    const random = randomStream(source.seed, 'control', pool.split);
    const expressions = referring.map(({ expression }) => expression);
    const boxes = referring.map(({ box }) => box);
    const said = set.control === 'shuffled texts' ? deranged(expressions, random) : expressions;
    const meant = set.control === 'permuted boxes' ? deranged(boxes, random) : boxes;
    return referring.flatMap(({ scene }, index) => {
      const [expression, box] = [said[index], meant[index]];
      if (expression === undefined || box === undefined) return [];
      const { start, end } = expression.span;
      return [
        {
          picture: scenePath(pool, scene),
          text: expression.text,
          objects: [{ box, spans: [{ start, end }] }],
        },
      ];
    });
  };
  const splits = {
    train: examplesOf(pools.train),
    validation: examplesOf(pools.validation),
    test: examplesOf(pools.test),
  };
  return { name: set.name, notes, splits, contents, files, objectsIn };
}

const few = { train: 1000, validation: 200, test: 200 };

/** The data sets of scenes with referring expressions. */
export const sceneExpressionSets = [
  {
    name: 'scenes-expressions',
    description:
      'generated scenes of emoji with referring expressions; tested on drawings by a vendor not trained on',
    test: 'new drawings',
  },
  {
    name: 'scenes-expressions-small',
    description: 'the first 1,000 of these scenes for training, 200 for validation and 200 for the test',
    test: 'new drawings',
    sizes: few,
  },
  {
    name: 'scenes-expressions-tiny',
    description:
      'the first 60 of these scenes for training, 20 for validation and 20 for the test: to try a command',
    test: 'new drawings',
    sizes: { train: 60, validation: 20, test: 20 },
  },
  {
    name: 'scenes-expressions-pairs',
    description: 'the same scenes; tested on things in colours that they never had in training',
    test: 'new pairs',
  },
  {
    name: 'scenes-expressions-shuffled',
    description: 'negative control: scenes-expressions-small with the expressions of others',
    test: 'new drawings',
    sizes: few,
    control: 'shuffled texts',
  },
  {
    name: 'scenes-expressions-blank',
    description: 'negative control: scenes-expressions-small with grey pictures',
    test: 'new drawings',
    sizes: few,
    control: 'blank pictures',
  },
  {
    name: 'scenes-expressions-permuted',
    description: 'negative control: scenes-expressions-small with the boxes of others',
    test: 'new drawings',
    sizes: few,
    control: 'permuted boxes',
  },
] as const satisfies readonly (SceneSet & { readonly description: string })[];
