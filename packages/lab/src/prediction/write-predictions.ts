import { writeAtomically } from '@winnow/formats';
import { pathOption } from '../options/path';
import { csvOf } from '../results/csv';
import type { Predictions } from './predictions';

/** The file that predictions are written to, as an option. Its name is looked at so that no picture is written over. */
export const predictionsFileShape = {
  csv: pathOption('output')
    .regex(/\.csv$/i, 'expected a file whose name ends in .csv')
    .optional()
    .describe('Also write them to this file, a line for each picture and class or text'),
};

const edgeColumns = { left: 'DOUBLE', top: 'DOUBLE', right: 'DOUBLE', bottom: 'DOUBLE' } as const;
const EDGES = ['left', 'top', 'right', 'bottom'] as const;

/** A column for what is named, by what it is named by. */
export const namedBy = {
  classes: 'class',
  pixels: 'class',
  texts: 'text',
  boxes: 'phrase',
  objects: 'class',
  captions: 'caption',
  answers: 'answer',
  judgement: 'judgement',
} as const satisfies Readonly<Record<Predictions['by'], string>>;

/**
 * Writes predictions as CSV: picture, rank from 1, class or text, its index from 0, probability; of
 * segmented pictures the share of the pixels, and of boxes their edges, in shares of the picture's sides. Names that a spreadsheet
 * would take for formulas are texts there too.
 * @throws {FormatError} when the file cannot be written.
 */
export async function writePredictions(file: string, { by, predictions }: Predictions): Promise<void> {
  const name = namedBy[by];
  const share = by === 'pixels' ? 'share' : 'probability';
  const lines = predictions.flatMap(({ picture, best }) =>
    best.map((guess, place) => ({
      picture,
      rank: place + 1,
      [name]: guess.name,
      index: guess.index,
      [share]: guess.probability,
      ...('box' in guess ? Object.fromEntries(EDGES.map((edge, at) => [edge, guess.box[at] ?? null])) : {}),
    })),
  );
  const columns = {
    picture: 'VARCHAR',
    rank: 'BIGINT',
    [name]: 'VARCHAR',
    index: 'BIGINT',
    [share]: 'DOUBLE',
    ...(by === 'boxes' || by === 'objects' ? edgeColumns : {}),
  } as const;
  await writeAtomically(file, csvOf({ name: 'predictions', columns, lines }));
}
