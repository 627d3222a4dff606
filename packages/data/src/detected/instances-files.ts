import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../failure/data-error';
import { explained, isAbsence } from '../failure/system-failure';
import { kindAt } from '../folder/entries';

/** The folder that makes a folder one of COCO's. */
export const ANNOTATIONS = 'annotations';
const INSTANCES_NAME = /^instances_(.+)\.json$/;

/** An instances file of COCO's, by its name. */
export interface SplitFile {
  readonly path: string;
  /** `train2017` of `instances_train2017.json`. */
  readonly split: string;
}

const splitFileAt = (path: string): SplitFile | undefined => {
  const split = INSTANCES_NAME.exec(basename(path))?.[1];
  return split === undefined ? undefined : { path, split };
};

/** The instances files of a folder, in order of their names; none where there is no such folder. */
async function filesIn(folder: string): Promise<SplitFile[]> {
  const names = await readdir(folder).catch((cause: unknown): string[] => {
    if (isAbsence(cause)) return [];
    throw explained(cause, `COCO's instances in the folder ${folder}`);
  });
  return names.sort().flatMap((name) => splitFileAt(join(folder, name)) ?? []);
}

/** Where the files lie that a path stands for: those beside a file, or in the folder `annotations` of a folder. */
export async function filesAt(spec: string): Promise<SplitFile[]> {
  const kind = await kindAt(spec);
  if (kind === 'folder') return filesIn(join(spec, ANNOTATIONS));
  return kind === 'file' && splitFileAt(spec) !== undefined ? filesIn(dirname(spec)) : [];
}

const isTraining = ({ split }: SplitFile): boolean => split.startsWith('train');

/** Whether a path is that of pictures with boxes in COCO's format, by the names of its files. */
export const isInstances = async (spec: string): Promise<boolean> => (await filesAt(spec)).some(isTraining);

/** The file of each split: training, and a validation, a test or both. */
export function chosenFiles(spec: string, files: readonly SplitFile[]) {
  const only = (starts: string): SplitFile | undefined => {
    const [file, ...others] = files.filter(({ split }) => split.startsWith(starts));
    if (file === undefined || others.length === 0) return file;
    throw new DataError({
      expected: `one file instances_${starts}….json at ${spec}`,
      found: [file, ...others].map(({ path }) => basename(path)).join(' and '),
      advice: 'Keep one of them.',
    });
  };
  const [train, validation, test] = [only('train'), only('val'), only('test')];
  const scored = test ?? validation;
  if (train === undefined || scored === undefined) {
    throw new DataError({
      expected: `instances_train….json, and instances_test….json or instances_val….json, at ${spec}`,
      found: files.length === 0 ? 'none' : files.map(({ path }) => basename(path)).join(', '),
      advice: 'Put them there: no test is set aside from training.',
    });
  }
  return { train, test: scored, ...(test === undefined || validation === undefined ? {} : { validation }) };
}

/** The folder of a split's pictures: of its name where there is one. */
export async function picturesOf({ path, split }: SplitFile, images: string | undefined): Promise<string> {
  const folder = dirname(resolve(path));
  const base = images ?? (basename(folder) === ANNOTATIONS ? dirname(folder) : folder);
  const own = join(base, split);
  return (await kindAt(own)) === 'folder' ? own : base;
}
