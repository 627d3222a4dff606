import { UserError, parseOptions } from '@winnow/core';
import { checkWritable } from '@winnow/formats';
import {
  type FoundBox,
  type Predictions,
  namedBy,
  predictGroup,
  predictPictures,
  predictionsFileShape,
  writePredictions,
} from '@winnow/lab';
import { z } from 'zod';
import { linesOf } from '../terminal/input-lines';
import { percent, table } from '../terminal/report/format';
import { noteOn, print } from '../terminal/terminal';
import type { Command } from './command';
import { jsonShape } from './json';

/** Stands for the lines of standard input. */
const STANDARD_INPUT = '-';

const { title } = predictGroup;
const predictOptions = predictGroup.schema.extend({
  ...jsonShape,
  ...predictionsFileShape,
  skipBroken: z.boolean().default(false).describe('Pictures that cannot be read are said, and are no error'),
});

export const predictCommand: Command = {
  name: 'predict',
  summary:
    'Tell what is on pictures: classes, texts, what each pixel shows, where what a text means or all of a class is, or what a blip writes of them',
  positional: {
    name: 'model',
    description: 'A run, a model folder or a checkpoint, or hf:owner/name',
    required: true,
  },
  further: {
    name: 'pictures',
    description: `Files, folders, patterns in quotes ("photos/*.jpg"), or ${STANDARD_INPUT} for names on standard input, one a line`,
  },
  startsRun: false,
  groups: () => [{ title, schema: predictOptions }],
  run: async ({ given, positional, further, terminal }) => {
    if (positional === undefined) throw new UserError('predict: expected a model');
    const { json, csv, skipBroken } = parseOptions(predictOptions, given, title);
    const { json: _json, csv: _csv, skipBroken: _skipBroken, ...options } = given;
    if (further.filter((word) => word === STANDARD_INPUT).length > 1)
      throw new UserError(`predict: standard input can be read once, got ${STANDARD_INPUT} more than once`);
    if (csv !== undefined) await checkWritable(csv);
    const pictures = await Promise.all(
      further.map((word) => (word === STANDARD_INPUT ? linesOf(terminal.stdin) : [word])),
    );
    const { signal } = terminal;
    const found = await predictPictures(positional, pictures.flat(), options, {
      note: noteOn(terminal),
      signal,
    });
    if (json) print(terminal.stdout, JSON.stringify(found, undefined, 2));
    else if (found.predictions.length > 0) print(terminal.stdout, predictionsText(found));
    if (csv !== undefined) await writePredictions(csv, found);
    if (found.broken.length === 0) return;
    if (!skipBroken || found.predictions.length === 0) throw new UserError(brokenText(found));
    print(terminal.stderr, brokenText(found));
  },
};

function predictionsText({ by, predictions }: Predictions): string {
  return table(
    ['picture', namedBy[by], columns[by] ?? 'probability'],
    predictions.flatMap(({ picture, best }) =>
      best.map((guess, place) => [
        place === 0 ? picture : '',
        guess.name,
        'box' in guess ? `${percent(guess.probability)} at ${placeOf(guess)}` : percent(guess.probability),
      ]),
    ),
  );
}

const columns: Readonly<Partial<Record<Predictions['by'], string>>> = {
  pixels: 'of the pixels',
  boxes: 'how sure, and where',
  objects: 'how sure, and where',
};

/** Corners of a box in percent of the picture's sides. */
const placeOf = ({ box }: FoundBox): string => {
  const [left, top, right, bottom] = box.map((share) => Math.round(100 * share));
  return `${left}–${right} % across, ${top}–${bottom} % down`;
};

function brokenText({ predictions, broken }: Predictions): string {
  const lines = broken.map(({ problem }) => `\n- ${problem.trim()}`).join('');
  const all = predictions.length + broken.length;
  return `${broken.length} of ${all} ${all === 1 ? 'picture' : 'pictures'} cannot be read:${lines}`;
}
