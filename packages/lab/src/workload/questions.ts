import { UserError, asDense, questions } from '@winnow/core';
import { identifyQuestionDataset, namesQuestionData, openQuestionDataset } from '@winnow/data';
import { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';
import { refuseRegions, regionsShape } from '../regions/options';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { imagesOf, imagesShape } from './images';
import { mdetrKind } from './mdetr';
import { oneStreamQuestionsKind } from './one-stream';
import { regionQuestionsKind } from './region-questions';
import type { WorkloadKind } from './workload';

/** Answering questions about pictures, by an MDETR with queries of their own for it. */
const mdetrQuestionsKind = mdetrKind({
  name: 'questions',
  defaultData: 'scenes-questions',
  fits: namesQuestionData,
  dataShape: imagesShape,
  identify: (data, options) =>
    identifyQuestionDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
  open: (data, reading, options) => openQuestionDataset(data, { ...reading, ...imagesOf(options) }),
  questionsOf: ({ kinds }) => ({ answers: kinds.map(({ answers }) => answers.length) }),
  taskOf: (model, { text }, { imageSize, channels, kinds }) =>
    questions(model, { imageSize, channels, endToken: text.endToken, types: kinds.map(({ name }) => name) }),
});

/** Who answers, by the family of its models. */
const answerers = {
  mdetr: mdetrQuestionsKind,
  vilt: oneStreamQuestionsKind,
  uniter: regionQuestionsKind('uniter'),
  lxmert: regionQuestionsKind('lxmert'),
} as const satisfies Readonly<Record<string, WorkloadKind>>;
type Answerer = keyof typeof answerers;
const names = ['mdetr', 'vilt', 'uniter', 'lxmert'] as const satisfies readonly Answerer[];

const familyShape = {
  family: z
    .enum(names)
    .optional()
    .describe(
      'Who answers: mdetr (two towers under a fusion; the default), vilt (words and patches in one trunk), uniter (words and regions in one trunk) or lxmert (a stream each)',
    ),
  oneStream: z.boolean().default(false).describe('The same as --family vilt'),
};
const familyOptions = z.object(familyShape);

/** @throws {UserError} when two options say different things. */
function familyIn(options: unknown): Answerer | undefined {
  const { family, oneStream } = familyOptions.parse(options);
  if (oneStream && family !== undefined && family !== 'vilt')
    throw new UserError(`--one-stream is --family vilt, and --family ${family} is another: give one of them`);
  return oneStream ? 'vilt' : family;
}

const isAnswerer = (kind: string): kind is Answerer => Object.hasOwn(answerers, kind);
const familyOfModel = (opened: OpenedModel): Answerer | undefined => {
  const { kind } = asDense(opened);
  return isAnswerer(kind) ? kind : undefined;
};

/** The answerer of a family. @throws {UserError} where options are about regions and it reads pixels. */
function answererFor(family: Answerer, options: unknown): WorkloadKind {
  const found = answerers[family];
  if (family === 'mdetr' || family === 'vilt') refuseRegions(options, family);
  return found;
}

/** Answering questions about pictures: by an MDETR, a ViLT, a UNITER or an LXMERT. */
export const questionsKind: WorkloadKind = {
  ...mdetrQuestionsKind,
  modelKinds: [...names],
  modelShape: { ...mdetrQuestionsKind.modelShape, ...familyShape },
  dataShape: { ...regionsShape, ...imagesShape },
  givenShape: { ...mdetrQuestionsKind.givenShape, ...familyShape },
  create: (choice, options) => answererFor(familyIn(options) ?? 'mdetr', options).create(choice, options),
  adapt: (choice, opened, options, head) => {
    const [own, asked] = [familyOfModel(opened), familyIn(options)];
    // A ViLT, a UNITER or an LXMERT goes on as it is; towers of other models become an MDETR, or a ViLT where that is asked for.
    const family = own === undefined || own === 'mdetr' ? (asked ?? own ?? 'mdetr') : own;
    if (asked !== undefined && asked !== family)
      throw new UserError(`--family ${asked}: the model is a ${family}, and goes on as such`);
    return answererFor(family, options).adapt(choice, opened, options, head);
  },
  open: (choice, opened, options) =>
    answererFor(familyOfModel(opened) ?? 'mdetr', options).open(choice, opened, options),
};
