import { randomStream } from '@winnow/core';
import type { FoundGroundings, GroundedExample } from '../grounded/grounded-example';
import { deranged } from './controls';
import { type ScenePool, expressionsIn, questionsIn, sentencesIn } from './pool';
import { type SceneSet, scenePath, scenePictures, sharesOf } from './scene-files';

/**
 * Generated scenes with two sentences each, of which every phrase names the boxes of its objects: a pre-training for referring expressions and
 * questions, whose words the tokenizer knows, too.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function sceneSentences(set: SceneSet): Promise<FoundGroundings> {
  const { pools, notes, contents, files, source } = await scenePictures(set);
  const examplesOf = (pool: ScenePool): GroundedExample[] => {
    const told = sentencesIn(pool).flatMap((own, scene) => own.map((sentence) => ({ scene, sentence })));
    const sentences = told.map(({ sentence }) => sentence);
    const random = randomStream(source.seed, 'control', pool.split);
    const said = set.control === 'shuffled texts' ? deranged(sentences, random) : sentences;
    return told.flatMap(({ scene }, index) => {
      const [about, sentence] = [pool.scenes[scene], said[index]];
      if (about === undefined || sentence === undefined) return [];
      const objects = sentence.spans.flatMap(({ start, end, objects: own }) =>
        own.flatMap((object) => {
          const seen = about.objects[object];
          return seen === undefined ? [] : [{ box: sharesOf(seen.box, about.side), spans: [{ start, end }] }];
        }),
      );
      return [{ picture: scenePath(pool, scene), text: sentence.text, objects }];
    });
  };
  const splits = {
    train: examplesOf(pools.train),
    validation: examplesOf(pools.validation),
    test: examplesOf(pools.test),
  };
  const alsoSaid = [...expressionsIn(pools.train).flat(), ...questionsIn(pools.train)].map(
    ({ text }) => text,
  );
  return { name: set.name, notes, splits, alsoSaid, contents, files };
}

const few = { train: 1000, validation: 200, test: 200 };

/** The data sets of scenes with sentences whose phrases have boxes. */
export const sceneSentenceSets = [
  {
    name: 'scenes-phrases',
    description:
      'generated scenes of emoji with sentences that name everything in them; tested on drawings by a vendor not trained on',
    test: 'new drawings',
  },
  {
    name: 'scenes-phrases-small',
    description: 'the first 1,000 of these scenes for training, 200 for validation and 200 for the test',
    test: 'new drawings',
    sizes: few,
  },
  {
    name: 'scenes-phrases-tiny',
    description:
      'the first 60 of these scenes for training, 20 for validation and 20 for the test: to try a command',
    test: 'new drawings',
    sizes: { train: 60, validation: 20, test: 20 },
  },
  {
    name: 'scenes-phrases-blank',
    description: 'negative control: scenes-phrases-small with grey pictures',
    test: 'new drawings',
    sizes: few,
    control: 'blank pictures',
  },
] as const satisfies readonly (SceneSet & { readonly description: string })[];
