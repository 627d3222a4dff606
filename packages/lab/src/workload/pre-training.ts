import { UserError, preTraining } from '@winnow/core';
import {
  type TokenizedHiddenData,
  identifyImageTextDataset,
  namesHiddenData,
  openHiddenDataset,
} from '@winnow/data';
import { z } from 'zod';
import { byFamily } from './by-family';
import { type RegionFamily, regionShapeOf } from './region-models';
import { type RegionTask, regionKind } from './region-task';

const trainingShape = {
  alignment: z
    .number()
    .min(0)
    .max(10)
    .optional()
    .describe(
      'Weight of the transport between words and regions beside matching; default: 0.1, of an LXMERT 0',
    ),
};
const trainingOptions = z.object(trainingShape);

const preTrainingTask = (family: RegionFamily): RegionTask<TokenizedHiddenData> => ({
  name: 'pre-training',
  defaultData: 'scenes-captions',
  fits: namesHiddenData,
  identify: (data) => identifyImageTextDataset(data),
  trainingShape,
  // Questions are of LXMERT's pre-training, and not of UNITER's.
  open: (data, reading, regions) =>
    openHiddenDataset(data, reading, { ...regions, asksQuestions: family === 'lxmert' }),
  headFor: ({ classes, answers }) => ({
    kind: 'pre-training',
    ...(classes === undefined ? {} : { classes }),
    ...(answers === undefined ? {} : { answers }),
  }),
  vocabularyFor: ({ maskToken }) => maskToken + 1,
  checkWords: ({ text }, { maskToken }) => {
    if (text.vocabulary <= maskToken)
      throw new UserError(
        `the model knows ${text.vocabulary} tokens, and needs one more than the ${maskToken} of its tokenizer for hidden words: begin with a new model`,
      );
  },
  taskOf: (model, config, _, training) => {
    const { alignment } = trainingOptions.parse(training);
    return preTraining(model, {
      ...regionShapeOf(config),
      endToken: config.text.endToken,
      ...(config.kind === 'lxmert' ? { alignment: 0, regionLoss: 'smooth' } : {}),
      ...(alignment === undefined ? {} : { alignment }),
    });
  },
});

/** Pre-training on captions and regions: matching with alignment, hidden words, hidden regions and their classes, and of an LXMERT questions. */
export const preTrainingKind = byFamily({
  names: ['uniter', 'lxmert'],
  members: {
    uniter: regionKind(preTrainingTask('uniter'), 'uniter'),
    lxmert: regionKind(preTrainingTask('lxmert'), 'lxmert'),
  },
  ofRegions: ['uniter', 'lxmert'],
  says: 'Who learns: uniter (words and regions in one trunk; the default) or lxmert (a stream each)',
});
