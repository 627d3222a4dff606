import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { DataError } from '../failure/data-error';
import { refuse } from '../failure/refuse';
import { readText } from '../file/read-text';
import { kindAt } from '../folder/entries';
import { contentsOfFiles } from '../identity/content-hashes';
import { grouped } from '../split/grouped';
import type { FoundStatements, StatedExample } from './statement-data';
import { picturesBelow } from './told-pictures';

/** `train-10171-0-0`: the split, the set of pictures, the pair, the statement. */
const IDENTIFIER = /^([A-Za-z0-9]+)-(\d+)-(\d+)-\d+$/;

/**
 * The part that we read of a line of NLVR2's files. Source: lil-lab/nlvr, nlvr2/README.md.
 * Only pictures of the training lie in folders of their own.
 */
const statement = z.object({
  sentence: z.string().trim().min(1, 'expected words'),
  identifier: z.string().regex(IDENTIFIER, 'expected an identifier like train-10171-0-0'),
  label: z
    .union([z.boolean(), z.enum(['True', 'False', 'true', 'false'])], 'expected True or False')
    .transform((label) => (String(label).toLowerCase() === 'true' ? 1 : 0)),
  directory: z
    .union(
      [z.int().nonnegative(), z.string().regex(/^\w+$/, 'expected the name of a folder')],
      'expected the name of a folder',
    )
    .transform(String)
    .optional(),
});
type Statement = z.output<typeof statement>;

const TRAIN = /^train(\.jsonl?)$/;
/** Names of the split for the test, of which the first that is there is taken. */
const TESTS = ['test1', 'test'] as const;

/** Whether a path is that of the training split of such data, by its name. */
export const isStatementFile = async (spec: string): Promise<boolean> =>
  TRAIN.test(basename(spec)) && (await kindAt(spec)) === 'file';

/** The statements of a split, a line each. @throws {DataError} that names the first ten lines that are none. */
async function statementsIn(path: string): Promise<Statement[]> {
  const faults: string[] = [];
  const found = (await readText(path, 'statements about pairs of pictures'))
    .split(/\r?\n/)
    .flatMap((line, index) => {
      if (line.trim() === '') return [];
      const read = statement.safeParse(objectIn(line));
      if (read.success) return [read.data];
      const [issue] = read.error.issues;
      const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
      faults.push(`line ${index + 1}: ${where}${issue?.message ?? 'no statement'}`);
      return [];
    });
  refuse('a sentence, an identifier and a label on each line, as NLVR2 has them,', path, faults);
  refuse(
    'statements with an identifier of their own',
    path,
    [...grouped(found, ({ identifier }) => identifier)].flatMap(([identifier, all]) =>
      all.length > 1 ? [identifier] : [],
    ),
  );
  if (found.length > 0) return found;
  throw new DataError({
    expected: `statements, a JSON object on each line, in ${path}`,
    found: 'no line',
    advice: 'Fetch the file anew.',
  });
}

function objectIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/** @param folder What holds the folders train, dev and test1, or all pictures of all splits. */
async function splitOf(path: string, folder: string): Promise<StatedExample[]> {
  const statements = await statementsIn(path);
  const splits = [...new Set(statements.map(({ identifier }) => identifier.replace(IDENTIFIER, '$1')))];
  const apart = new Set<string>();
  for (const split of splits) if ((await kindAt(join(folder, split))) === 'folder') apart.add(split);
  const named = statements.map(({ identifier, directory }) => {
    const [, split = '', set = '', pair = ''] = IDENTIFIER.exec(identifier) ?? [];
    const below = apart.has(split) ? [split, ...(directory === undefined ? [] : [directory])] : [];
    const nameOf = (which: 0 | 1) => join(...below, `${split}-${set}-${pair}-img${which}.png`);
    return { left: nameOf(0), right: nameOf(1) };
  });
  const pathOf = await picturesBelow(
    folder,
    named.flatMap(({ left, right }) => [left, right]),
    path,
  );
  return statements.map(({ sentence, label }, index) => ({
    picture: pathOf(named[index]?.left ?? ''),
    right: pathOf(named[index]?.right ?? ''),
    text: sentence,
    label,
  }));
}

/**
 * Statements about two pictures in NLVR2's files, by the path of `train.json`; `dev.json` and `test1.json` lie beside it.
 * @param images The folder of the pictures, or that of the folders train, dev and test1 with them; by default that of the file.
 * @throws {DataError} when a split is missing, or holds what it should not.
 */
export async function nlvr2Files(spec: string, images: string | undefined): Promise<FoundStatements> {
  const beside = (split: string) => join(dirname(spec), basename(spec).replace(TRAIN, `${split}$1`));
  let test: string | undefined;
  for (const name of TESTS) if (test === undefined && (await kindAt(beside(name))) === 'file') test = name;
  if (test === undefined || (await kindAt(beside('dev'))) !== 'file') {
    throw new DataError({
      expected: `${basename(beside('dev'))}, and ${TESTS.map((name) => basename(beside(name))).join(' or ')}, beside ${spec}`,
      found: test === undefined ? 'no test' : `no ${basename(beside('dev'))}`,
      advice: 'Put them there: nothing is set aside from training.',
    });
  }
  const folder = images ?? dirname(spec);
  const splits = {
    train: await splitOf(spec, folder),
    validation: await splitOf(beside('dev'), folder),
    test: await splitOf(beside(test), folder),
  };
  return {
    name: basename(dirname(resolve(spec))),
    notes: [`the test is ${basename(beside(test))}: ${trueShare(splits.test)} of its statements are true`],
    splits,
    contents: contentsOfFiles(resolve(spec)),
  };
}

const trueShare = (examples: readonly StatedExample[]): string =>
  `${((100 * examples.filter(({ label }) => label === 1).length) / examples.length).toFixed(1)} %`;
