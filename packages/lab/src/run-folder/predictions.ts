import { join } from 'node:path';
import { type JsonFileFormat, readJsonIfThere, writeJson } from '@winnow/formats';
import { z } from 'zod';

/** The file of what a run's models take the examples of the test split for. */
const PREDICTIONS_FILE = 'predictions.json';

const indices = z.array(z.int().nonnegative());

const predictions = z
  .object({
    /** Names of the classes, in the order of their indices. */
    classNames: z.array(z.string()),
    /** Class of every example of the test split, in its order. */
    labels: indices,
    /** Classes that the model takes them for that was trained, or is made smaller. */
    dense: indices,
    /** Those that the smaller model takes them for, retrained. */
    compressed: indices.exactOptional(),
  })
  .refine(
    ({ labels, dense, compressed = dense }) =>
      dense.length === labels.length && compressed.length === labels.length,
    { message: 'expected as many predictions as labels' },
  )
  .refine(
    ({ classNames, labels, dense, compressed = dense }) =>
      [labels, dense, compressed].every((classes) => classes.every((index) => index < classNames.length)),
    { message: 'expected indices of classes that have names' },
  );
/** The classes that the models of a run give the examples of its test split. */
export type Predictions = z.output<typeof predictions>;

const format: JsonFileFormat<Predictions> = {
  schema: predictions,
  what: 'the predictions of a run',
  style: 'compact',
};

export const writePredictions = (folder: string, content: Predictions): Promise<void> =>
  writeJson(join(folder, PREDICTIONS_FILE), content, format);

/**
 * The predictions of a run; undefined where it is no classification, has too many examples or is of an earlier Winnow.
 * @throws {FormatError} when they cannot be read.
 */
export const readPredictions = (folder: string): Promise<Predictions | undefined> =>
  readJsonIfThere(join(folder, PREDICTIONS_FILE), format);
