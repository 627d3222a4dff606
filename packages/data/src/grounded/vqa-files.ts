import { basename, dirname, join, resolve } from 'node:path';
import { permutation, randomStream, counted } from '@winnow/core';
import { z } from 'zod';
import { DataError } from '../failure/data-error';
import { refuse } from '../failure/refuse';
import { visibly } from '../failure/visible';
import { checkedJson, readJson } from '../file/read-json';
import { kindAt } from '../folder/entries';
import { contentsOfFiles } from '../identity/content-hashes';
import { grouped } from '../split/grouped';
import type { AnsweredExample, FoundAnswers } from './answer-data';
import { refuseMissing } from './published-files';
import { picturesBelow } from './told-pictures';

const identifier = z.int().nonnegative().max(999_999_999_999);
/** `train2014`: a part of paths. */
const subtype = z.string().regex(/^\w+$/);

/** The part that we read of VQA v2's files. Source: https://visualqa.org/download.html, input questions format and annotation format. */
const questionFile = z.object({
  data_subtype: subtype,
  questions: z
    .array(z.object({ image_id: identifier, question: z.string(), question_id: identifier }))
    .min(1),
});
const annotationFile = z.object({
  data_subtype: subtype,
  annotations: z.array(
    z.object({
      question_id: identifier,
      image_id: identifier,
      answer_type: z.string().min(1),
      multiple_choice_answer: z.string(),
      answers: z.array(z.object({ answer: z.string() })).min(1),
    }),
  ),
});

const QUESTIONS = /OpenEnded_(.*)train(.*)_questions\.json$/;
/** The share of the training pictures, where the validation is the test: that of the challenge has no answers. */
const SET_ASIDE = 0.1;
/** As many answers are chosen from as are usual, each given so many times as the right one. */
const MOST_ANSWERS = 3_129;
const FEWEST_TIMES = 9;

/** Whether a path is that of the questions of the training split of such data, by its name. */
export const isAnswerFile = async (spec: string): Promise<boolean> =>
  QUESTIONS.test(basename(spec)) && (await kindAt(spec)) === 'file';

interface ReadSplit {
  readonly examples: readonly (AnsweredExample & { readonly kind: string })[];
  readonly unasked: number;
  /** Questions that are left out, as their right answer has no words: nobody can be asked to give it. */
  readonly blank: number;
}

/**
 * Reads a split.
 * @param images The folder of the folders train2014 and val2014, or of the pictures themselves.
 * @throws {DataError} for questions without an answer, of several, without words, or whose answers are about another picture.
 */
async function splitOf(
  paths: { questions: string; annotations: string },
  images: string,
): Promise<ReadSplit> {
  const read = async <Value>(schema: z.ZodType<Value>, path: string, what: string) =>
    checkedJson(schema, await readJson(path), path, what);
  const asked = await read(questionFile, paths.questions, 'questions, as VQA v2 has them');
  const answered = await read(annotationFile, paths.annotations, 'answers, as VQA v2 has them');
  const answersOf = grouped(answered.annotations, ({ question_id }) => question_id);
  if (answered.data_subtype !== asked.data_subtype) {
    throw new DataError({
      expected: `answers about ${visibly(asked.data_subtype)}, as the questions of ${basename(paths.questions)} are, in ${paths.annotations}`,
      found: visibly(answered.data_subtype),
      advice: 'Put the answers to these questions there.',
    });
  }
  const faultsIn = (isFault: (question: (typeof asked.questions)[number]) => boolean): readonly string[] =>
    asked.questions
      .filter(isFault)
      .map(({ question_id, question }) => `question ${question_id}, ${visibly(question)}`);
  refuse(
    'questions with words',
    paths.questions,
    faultsIn(({ question }) => question.trim() === ''),
  );
  const askedBy = grouped(asked.questions, ({ question_id }) => question_id);
  refuse(
    'questions with an id of their own',
    paths.questions,
    faultsIn(({ question_id }) => (askedBy.get(question_id)?.length ?? 0) > 1),
  );
  refuse(
    `one entry for every question of ${basename(paths.questions)}`,
    paths.annotations,
    faultsIn(({ question_id }) => answersOf.get(question_id)?.length !== 1),
  );
  refuse(
    `answers about the pictures of ${basename(paths.questions)}`,
    paths.annotations,
    faultsIn(({ question_id, image_id }) => answersOf.get(question_id)?.[0]?.image_id !== image_id),
  );
  const { data_subtype: folder } = asked;
  const isApart = (await kindAt(join(images, folder))) === 'folder';
  const nameOf = (id: number): string => {
    const name = `COCO_${folder}_${String(id).padStart(12, '0')}.jpg`;
    return isApart ? join(folder, name) : name;
  };
  const pathOf = await picturesBelow(
    images,
    asked.questions.map(({ image_id }) => nameOf(image_id)),
    paths.questions,
  );
  const examples = asked.questions.flatMap(({ question, question_id, image_id }) =>
    (answersOf.get(question_id) ?? []).map(({ answer_type, multiple_choice_answer, answers }) => ({
      picture: pathOf(nameOf(image_id)),
      text: question,
      answer: multiple_choice_answer,
      given: answers.map(({ answer }) => answer),
      kind: answer_type,
      type: 0,
    })),
  );
  const told = examples.filter(({ answer }) => answer.trim() !== '');
  if (told.length === 0) {
    throw new DataError({
      expected: `answers with words in ${paths.annotations}`,
      found: `${counted(examples.length, 'blank answer')} (multiple_choice_answer)`,
      advice: 'Fetch the file anew.',
    });
  }
  return {
    unasked: answered.annotations.length - asked.questions.length,
    blank: examples.length - told.length,
    examples: told,
  };
}

/**
 * Questions in VQA v2's files, by the path of those of the training (`v2_OpenEnded_mscoco_train2014_questions.json`). Their answers
 * (`v2_mscoco_train2014_annotations.json`) and both files of val2014 lie beside it: val2014 is the test, as the challenge's has no
 * answers, and the questions about a tenth of the training pictures are the validation.
 * @param images The folder that holds train2014 and val2014, or all pictures; by default that of the file.
 * @throws {DataError} when a file is missing, or holds what it should not.
 */
export async function vqaFiles(spec: string, images: string | undefined): Promise<FoundAnswers> {
  const named = (split: string) => ({
    questions: join(
      dirname(spec),
      basename(spec).replace(QUESTIONS, `OpenEnded_$1${split}$2_questions.json`),
    ),
    annotations: join(dirname(spec), basename(spec).replace(QUESTIONS, `$1${split}$2_annotations.json`)),
  });
  const files = { train: named('train'), test: named('val') };
  await refuseMissing(spec, [files.train.annotations, files.test.questions, files.test.annotations]);
  const folder = images ?? dirname(spec);
  const [train, test] = [await splitOf(files.train, folder), await splitOf(files.test, folder)];
  const types = [...new Set([...train.examples, ...test.examples].map(({ kind }) => kind))].sort();
  const typed = ({ kind, ...example }: ReadSplit['examples'][number]): AnsweredExample => ({
    ...example,
    type: types.indexOf(kind),
  });
  const pictures = [...new Set(train.examples.map(({ picture }) => picture))];
  const count = Math.max(1, Math.round(SET_ASIDE * pictures.length));
  const order = permutation(pictures.length, randomStream(0, 'set aside'));
  const aside = new Set([...order.subarray(0, count)].map((index) => pictures[index]));
  const learned = train.examples.filter(({ picture }) => !aside.has(picture)).map(typed);
  if (learned.length === 0) {
    throw new DataError({
      expected: `questions about several pictures in ${spec}`,
      found: `${counted(pictures.length, 'picture')}, set aside for validation`,
      advice: 'Ask about more pictures.',
    });
  }
  const answers = usual(learned);
  const isUsual = new Set(answers);
  const other = learned.filter(({ answer }) => !isUsual.has(answer)).length;
  return {
    name: basename(spec).replace(QUESTIONS, '$1train$2'),
    notes: [
      `${basename(files.test.questions)} is the test; set aside for validation: the questions about ${counted(count, 'picture')} of the training`,
      `answers that are chosen from: ${answers.length}; ${counted(other, 'question')} of the training have another one`,
      ...Object.entries({ train, test }).flatMap(([name, { unasked }]) =>
        unasked === 0 ? [] : [`${counted(unasked, 'answer')} of ${name} to no question: left out`],
      ),
      ...Object.entries({ train, test }).flatMap(([name, { blank }]) =>
        blank === 0 ? [] : [`${counted(blank, 'question')} of ${name} whose answer is blank: left out`],
      ),
    ],
    splits: {
      train: learned,
      validation: train.examples.filter(({ picture }) => aside.has(picture)).map(typed),
      test: test.examples.map(typed),
    },
    answers,
    types: types.map(visibly),
    contents: contentsOfFiles(resolve(spec)),
  };
}

/** The answers that are given most often, of those given so many times; where none is, all. */
function usual(examples: readonly AnsweredExample[]): string[] {
  const times = [...grouped(examples, ({ answer }) => answer)].map(
    ([answer, all]) => [answer, all.length] as const,
  );
  const often = times.filter(([, count]) => count >= FEWEST_TIMES);
  const ranked = (often.length > 0 ? often : times).sort(
    ([a, first], [b, second]) => second - first || (a < b ? -1 : 1),
  );
  return ranked.slice(0, MOST_ANSWERS).map(([answer]) => answer);
}
