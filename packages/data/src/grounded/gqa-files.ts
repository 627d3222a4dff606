import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { counted } from '@winnow/core';
import { refuse } from '../failure/refuse';
import { visibly } from '../failure/visible';
import { readEntries } from '../file/read-entries';
import { checkedJson } from '../file/read-json';
import { kindAt } from '../folder/entries';
import { contentsOfFiles } from '../identity/content-hashes';
import { refuseEmptySplits } from '../split/filled';
import { grouped } from '../split/grouped';
import { refuseMissing } from './published-files';
import { type AskedExample, type FoundQuestions, NO_ANSWER } from './question-data';
import { picturesBelow } from './told-pictures';

/** Kinds of questions by their subject: GQA's semantic types, for each of which MDETR has a head. */
const semantics = ['obj', 'attr', 'rel', 'cat', 'global'] as const;

/** The part that we read of a question in GQA's files. Source: https://cs.stanford.edu/people/dorarad/gqa/download.html */
const gqaQuestion = z.object({
  question: z.string(),
  imageId: z.string().regex(/^\w{1,64}$/, 'expected the name of a picture'),
  answer: z.string().min(1),
  types: z.object({ semantic: z.enum(semantics) }),
});
type Asked = z.output<typeof gqaQuestion> & { readonly id: string };

const TRAIN = /^train(_\w+)?_questions\.json$/;
/** Where the pictures are published. */
const PICTURES = 'images';

/** Whether a path is that of the training questions of GQA, by its name. */
export const isGqaFile = async (spec: string): Promise<boolean> =>
  TRAIN.test(basename(spec)) && (await kindAt(spec)) === 'file';

async function askedIn(path: string): Promise<Asked[]> {
  const asked: Asked[] = [];
  await readEntries(path, 'questions, as GQA has them', (id, entry) =>
    asked.push({
      ...checkedJson(gqaQuestion, entry, path, `question ${visibly(id)}, as GQA has them,`),
      id,
    }),
  );
  refuse(
    'questions with words',
    path,
    asked.flatMap(({ id, question }) => (question.trim() === '' ? [`question ${visibly(id)}`] : [])),
  );
  return asked;
}

/** The answers of each type in the training, the most frequent first. */
function kindsOf(train: readonly Asked[]): FoundQuestions['kinds'] {
  return semantics.flatMap((name) => {
    const own = train.filter(({ types }) => types.semantic === name);
    const times = [...grouped(own, ({ answer }) => answer)].map(
      ([answer, all]) => [answer, all.length] as const,
    );
    const ranked = times.sort(([a, first], [b, second]) => second - first || (a < b ? -1 : 1));
    return ranked.length === 0 ? [] : [{ name, answers: ranked.map(([answer]) => answer) }];
  });
}

/**
 * Questions in GQA's files (Hudson and Manning, 2019), by the path of those of the training (`train_balanced_questions.json`); `val` and
 * `testdev` lie beside them. Types are the semantic ones, and answers those that the training has: another one counts as
 * wrong, whatever is said.
 * @param images The folder of the pictures, `<imageId>.jpg`; by default `images` beside the file, if it is there, or the file's folder.
 * @throws {DataError} when a file is missing, or holds what it should not.
 */
export async function gqaFiles(spec: string, images: string | undefined): Promise<FoundQuestions> {
  const beside = (split: string) =>
    join(dirname(spec), basename(spec).replace(TRAIN, `${split}$1_questions.json`));
  const paths = { train: spec, validation: beside('val'), test: beside('testdev') };
  await refuseMissing(spec, [paths.validation, paths.test]);
  const asked = {
    train: await askedIn(paths.train),
    validation: await askedIn(paths.validation),
    test: await askedIn(paths.test),
  };
  refuseEmptySplits(asked, 'questions', spec);
  const kinds = kindsOf(asked.train);
  const apart = join(dirname(spec), PICTURES);
  const folder = images ?? ((await kindAt(apart)) === 'folder' ? apart : dirname(spec));
  const typeOf = new Map<string, number>(kinds.map(({ name }, type) => [name, type]));
  const answerOf = kinds.map(({ answers }) => new Map(answers.map((answer, index) => [answer, index])));
  const examplesOf = async (own: readonly Asked[], path: string): Promise<AskedExample[]> => {
    refuse(
      `questions of types that ${basename(spec)} has, too,`,
      path,
      own.flatMap(({ id, types }) =>
        typeOf.has(types.semantic) ? [] : [`question ${visibly(id)}, ${types.semantic}`],
      ),
    );
    const fileOf = ({ imageId }: Asked): string => `${imageId}.jpg`;
    const pathOf = await picturesBelow(folder, own.map(fileOf), path);
    return own.map((question) => {
      const type = typeOf.get(question.types.semantic) ?? 0;
      return {
        picture: pathOf(fileOf(question)),
        text: question.question,
        type,
        answer: answerOf[type]?.get(question.answer) ?? NO_ANSWER,
      };
    });
  };
  const splits = {
    train: await examplesOf(asked.train, paths.train),
    validation: await examplesOf(asked.validation, paths.validation),
    test: await examplesOf(asked.test, paths.test),
  };
  return {
    name: basename(spec, '_questions.json'),
    notes: [
      `${basename(paths.test)} is the test`,
      ...(['validation', 'test'] as const).flatMap((split) => {
        const other = splits[split].filter(({ answer }) => answer === NO_ANSWER).length;
        return other === 0
          ? []
          : [
              `${counted(other, 'question')} of ${split} with an answer that the training has not: always wrong`,
            ];
      }),
    ],
    splits,
    kinds,
    contents: contentsOfFiles(resolve(spec)),
  };
}
