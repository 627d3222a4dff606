import { randomStream, counted } from '@winnow/core';
import type { PairGroup } from '../pairs/group';
import { type ImageTextOptions, type TokenizedImageTextData, imageTextData } from '../pairs/image-text-data';
import type { FoundPairs } from '../pairs/splits';
import { sceneConcepts } from './concepts';
import { deranged } from './controls';
import type { AskedOfPicture, FoundTold, PictureQuestions, ToldPicture } from '../grounded/told-data';
import { everyStatement } from './entailment';
import { type ScenePool, captionsIn, questionsIn } from './pool';
import { type QuestionType, answersOf, questionTypes } from './questions';
import { type ScenePictures, type SceneSet, scenePath, scenePictures } from './scene-files';

/**
 * Generated scenes with five captions each. Of the held-out splits, captions are true of one scene alone where the generator finds
 * such ones; a note says how many are not.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export const sceneCaptionPairs = (set: SceneSet): Promise<FoundPairs> =>
  scenePictures(set).then((scenes) => captioned(set, scenes));

function captioned(set: SceneSet, { pools, notes, contents, files, source }: ScenePictures): FoundPairs {
  const remarks: string[] = [];
  const groupsOf = (pool: ScenePool): PairGroup[] => {
    const { captions, ambiguous } = captionsIn(pool);
    if (pool !== pools.train && ambiguous > 0) {
      remarks.push(
        `${counted(ambiguous, 'caption')} of the ${pool.split} are true of another of its scenes as well, and count for one`,
      );
    }
    const texts = captions.map((own) => own.map(({ text }) => text));
    const said =
      set.control === 'shuffled texts'
        ? deranged(texts, randomStream(source.seed, 'control', pool.split))
        : texts;
    return said.map((own, index) => ({ pictures: [scenePath(pool, index)], texts: own }));
  };
  const splits = {
    train: groupsOf(pools.train),
    validation: groupsOf(pools.validation),
    test: groupsOf(pools.test),
  };
  return { name: set.name, notes: [...notes, ...remarks], splits, contents, files };
}

/**
 * {@link sceneCaptionPairs} with a caption in each example, and the boxes of what is seen. The words of questions about the same scenes
 * and of statements are among those of the training, so that a model may go on to answer and to judge them; the questions themselves are there, too,
 * but in the control of shuffled texts.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function sceneCaptionsTold(set: SceneSet): Promise<FoundTold<ToldPicture>> {
  const scenes = await scenePictures(set);
  const { name, notes, splits, contents, files } = captioned(set, scenes);
  const { pools, objectsIn, classedIn } = scenes;
  const told = (groups: readonly PairGroup[]): ToldPicture[] =>
    groups.flatMap(({ pictures: [picture = ''], texts }) => texts.map((text) => ({ picture, text })));
  return {
    ...{ name, notes, contents, objectsIn },
    regionClasses: { names: sceneConcepts.map((concept) => concept.name), objectsIn: classedIn },
    ...(files === undefined ? {} : { files }),
    splits: { train: told(splits.train), validation: told(splits.validation), test: told(splits.test) },
    alsoSaid: [...questionsIn(pools.train).map(({ text }) => text), ...everyStatement],
    ...(set.control === 'shuffled texts' ? {} : { questions: () => questionsAbout(pools) }),
  };
}

/** Questions about scenes; their answers are numbered type by type, as those of `scenes-questions` are by models with one head. */
function questionsAbout(pools: ScenePictures['pools']): PictureQuestions {
  const answers = questionTypes.flatMap((type) => answersOf[type]);
  const first = (own: QuestionType): number =>
    questionTypes.slice(0, questionTypes.indexOf(own)).reduce((sum, type) => sum + answersOf[type].length, 0);
  const askedIn = (pool: ScenePool): AskedOfPicture[] =>
    questionsIn(pool).map(({ scene, text, type, answer }) => ({
      picture: scenePath(pool, scene),
      text,
      answer: first(type) + answersOf[type].indexOf(answer),
    }));
  return {
    answers,
    splits: {
      train: askedIn(pools.train),
      validation: askedIn(pools.validation),
      test: askedIn(pools.test),
    },
  };
}

/**
 * {@link sceneCaptionPairs} as data for training and evaluation. Pictures are not varied unless told otherwise: a crop or a flip would
 * make captions false.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 * @throws {RangeError} on options outside their range.
 */
export async function sceneCaptions(
  set: SceneSet,
  options: ImageTextOptions,
): Promise<TokenizedImageTextData> {
  return imageTextData(await sceneCaptionPairs(set), options, 'none');
}

const few = { train: 1000, validation: 200, test: 200 };

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
    sizes: few,
  },
  {
    name: 'scenes-captions-tiny',
    description: 'the first 60 of them for training, 20 for validation and 20 for the test: to try a command',
    test: 'new drawings',
    sizes: { train: 60, validation: 20, test: 20 },
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
    sizes: few,
    control: 'shuffled texts',
  },
  {
    name: 'scenes-captions-blank',
    description: 'negative control: scenes-captions-small with grey pictures',
    test: 'new drawings',
    sizes: few,
    control: 'blank pictures',
  },
] as const satisfies readonly (SceneSet & { readonly description: string })[];
