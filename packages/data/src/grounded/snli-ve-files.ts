import { basename, dirname, join, resolve } from 'node:path';
import { counted } from '@winnow/core';
import { z } from 'zod';
import { refuse } from '../failure/refuse';
import { readLines } from '../file/read-lines';
import { kindAt } from '../folder/entries';
import { contentsOfFiles } from '../identity/content-hashes';
import { refuseEmptySplits } from '../split/filled';
import { grouped } from '../split/grouped';
import { type EntailmentExample, type FoundEntailment, entailmentLabels } from './entailment-data';
import { refuseMissing } from './published-files';
import { picturesBelow } from './told-pictures';

/** The label of a statement of which people who judged it did not agree. */
const NO_LABEL = '-';

/**
 * The part that we read of a line of SNLI-VE's files (Xie et al., 2019). Source: necla-ml/SNLI-VE, README.md and `snli_ve_generator.py`.
 */
const judged = z.object({
  gold_label: z.enum(
    [...entailmentLabels, NO_LABEL],
    `expected ${entailmentLabels.join(', ')}, or ${NO_LABEL} where there is none`,
  ),
  sentence2: z.string().trim().min(1, 'expected words'),
  Flickr30K_ID: z
    .string()
    .regex(/^\d{1,20}(\.jpg)?$/, 'expected the number of a picture of Flickr30k')
    .transform((id) => `${id.replace(/\.jpg$/, '')}.jpg`),
  pairID: z.string().min(1).optional(),
});
type Judged = z.output<typeof judged>;

const TRAIN = /^(.*)snli_ve_train(\.jsonl?)$/;

/** Whether a path is that of the training split of such data, by its name. */
export const isSnliVeFile = async (spec: string): Promise<boolean> =>
  TRAIN.test(basename(spec)) && (await kindAt(spec)) === 'file';

/** The statements of a split, a line each. @throws {DataError} that names the first ten lines that are none. */
async function judgedIn(path: string): Promise<Judged[]> {
  const [faults, found]: [string[], Judged[]] = [[], []];
  await readLines(path, 'statements about pictures', (line, number) => {
    if (line.trim() === '') return;
    const read = judged.safeParse(objectIn(line));
    if (read.success) {
      found.push(read.data);
      return;
    }
    const [issue] = read.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    faults.push(`line ${number}: ${where}${issue?.message ?? 'no statement'}`);
  });
  refuse('a gold_label, a sentence2 and a Flickr30K_ID on each line, as SNLI-VE has them,', path, faults);
  const named = found.flatMap(({ pairID }) => (pairID === undefined ? [] : [pairID]));
  refuse(
    'statements with a pairID of their own',
    path,
    [...grouped(named, (id) => id)].flatMap(([id, all]) => (all.length > 1 ? [id] : [])),
  );
  return found;
}

function objectIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/**
 * Statements about a picture each in SNLI-VE's files, by the path of `snli_ve_train.jsonl`; those of `dev` and `test` lie beside it. Lines
 * without a label of their own (`-`) are left out, and counted.
 * @param images The folder of Flickr30k's pictures, `<Flickr30K_ID>.jpg`; by default that of the file.
 * @throws {DataError} when a split is missing, or holds what it should not.
 */
export async function snliVeFiles(spec: string, images: string | undefined): Promise<FoundEntailment> {
  const beside = (split: string) =>
    join(dirname(spec), basename(spec).replace(TRAIN, `$1snli_ve_${split}$2`));
  const paths = { train: spec, validation: beside('dev'), test: beside('test') };
  await refuseMissing(spec, [paths.validation, paths.test]);
  const notes: string[] = [`the test is ${basename(paths.test)}`];
  const examplesOf = async (path: string): Promise<EntailmentExample[]> => {
    const all = await judgedIn(path);
    const own = all.flatMap(({ gold_label: label, sentence2: text, Flickr30K_ID: picture }) =>
      label === NO_LABEL ? [] : [{ label, text, picture }],
    );
    if (own.length < all.length)
      notes.push(
        `${counted(all.length - own.length, 'statement')} of ${basename(path)} left out: people did not agree on ${all.length - own.length === 1 ? 'it' : 'them'} (${NO_LABEL})`,
      );
    const pathOf = await picturesBelow(
      images ?? dirname(spec),
      own.map(({ picture }) => picture),
      path,
    );
    return own.map((example) => ({ ...example, picture: pathOf(example.picture) }));
  };
  const splits = {
    train: await examplesOf(paths.train),
    validation: await examplesOf(paths.validation),
    test: await examplesOf(paths.test),
  };
  refuseEmptySplits(splits, 'statements with a label', spec);
  return { name: basename(dirname(resolve(spec))), notes, splits, contents: contentsOfFiles(resolve(spec)) };
}
