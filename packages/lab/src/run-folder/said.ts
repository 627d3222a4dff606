import { join } from 'node:path';
import { type JsonFileFormat, readJsonIfThere, writeJson } from '@winnow/formats';
import { z } from 'zod';

/** The file of what a run's models say of some examples of the test split. */
const SAID_FILE = 'said.json';

const share = z.number();
const shownBoxes = z
  .array(z.object({ box: z.tuple([share, share, share, share]).readonly(), label: z.string() }))
  .readonly();

const saidExamples = z.object({
  examples: z.array(
    z.object({
      /** Small pictures as data URIs. */
      pictures: z.array(z.string().startsWith('data:image/')),
      /** The question, or the statement; empty where nothing was asked. */
      asked: z.string(),
      /** One right answer. */
      right: z.string(),
      /** The answer of the model that was trained, or is made smaller. */
      dense: z.string(),
      /** The answer of the smaller model, retrained. */
      compressed: z.string().exactOptional(),
      /** The boxes of a task that finds objects: where they are, and where either model finds them. */
      boxes: z
        .object({ right: shownBoxes, dense: shownBoxes, compressed: shownBoxes.exactOptional() })
        .exactOptional(),
    }),
  ),
});
export type SaidExamples = z.output<typeof saidExamples>;

const format: JsonFileFormat<SaidExamples> = {
  schema: saidExamples,
  what: 'what the models of a run say',
  style: 'compact',
};

export const writeSaid = (folder: string, content: SaidExamples): Promise<void> =>
  writeJson(join(folder, SAID_FILE), content, format);

/**
 * Reads the answers of a run's models; undefined where they do not answer in words, or the run is of an earlier Winnow.
 * @throws {FormatError} when it cannot be read.
 */
export const readSaid = (folder: string): Promise<SaidExamples | undefined> =>
  readJsonIfThere(join(folder, SAID_FILE), format);
