import { type DenseConfig, asDense, denseConfigOf, familyOf, mdetrFamily } from '@winnow/core';
import type { Examples, ModelPart } from '@winnow/onnx';
import type { OpenedModel } from '../model-source/open-model';
import { choicesOfRun } from '../run-folder/record';
import { dataOfRun, readingOfRun } from '../run-folder/run-data';
import { workloadFor } from '../workload/choice';
import type { Workload } from '../workload/workload';
import { examplesOfData } from './data-examples';
import { engineAnswers } from './engine-answers';

/** Pictures that a proof asks the file and the engine about, in the layout of the files; or why there are none. */
export type RealPictures =
  | {
      readonly pictures: Examples;
      readonly classes: number;
      /** The class of each, where the data say it. */
      readonly labels?: Int32Array;
    }
  | { readonly pictures?: undefined; readonly why: string };

/**
 * The data of a model's run, or those that are named; undefined where none are known.
 * @throws {UserError} when they do not fit the model, or those of the run are gone.
 */
export async function dataOf(
  path: string,
  opened: OpenedModel,
  data: string | undefined,
): Promise<Workload | undefined> {
  const own = data === undefined ? await dataOfRun(path) : await readingOfRun(path, data);
  const read = { ...own, ...(data === undefined ? {} : { data }) };
  if (read.data === undefined) return undefined;
  const { task } = await choicesOfRun(path);
  const choice = { data: read.data, augmentation: 'none', preload: 'never' } as const;
  const workload = await workloadFor(asDense(opened).kind, task).open(choice, opened, read);
  workload.checkFit(opened.model);
  return workload;
}

/**
 * The first pictures of the test split.
 * @param path The model's.
 * @param options Those of the command that say which data, and how they are read.
 * @throws {UserError} when they do not fit the model, or those of the run are gone.
 */
export async function realPictures(
  path: string,
  opened: OpenedModel,
  part: ModelPart | undefined,
  options: { readonly data?: string | undefined; readonly pictures: number },
): Promise<RealPictures> {
  if (options.pictures === 0) return { why: 'no pictures were asked for: --pictures 0' };
  if (part?.name !== 'model')
    return {
      why: 'the files are parts of a model: their answers to fixed examples are compared, number by number',
    };
  const classes = classesIn(denseConfigOf(opened.model));
  if (classes === 0)
    return {
      why: 'the model tells no classes of pictures apart: its answers to fixed examples are compared, number by number',
    };
  const workload = await dataOf(path, opened, options.data);
  if (workload === undefined) return { why: 'no data are known to ask about: --data' };
  const { test } = workload;
  const read = async (count: number) => {
    const numbers = Array.from({ length: count }, (_, at) => at);
    const { examples, labels } = await examplesOfData(test, numbers, opened, [part]);
    const pictures = examples.get(part.name);
    if (pictures === undefined) throw new RangeError('expected examples');
    return { pictures, labels };
  };
  const one = await read(1);
  const { logits } = await engineAnswers(opened, part, one.pictures);
  if (logits === undefined) throw new RangeError('expected logits');
  const count = Math.min(options.pictures, test.size, Math.max(1, Math.floor(MOST_NUMBERS / logits.length)));
  const { pictures, labels } = await read(count);
  return { pictures, classes, ...(labels.length === count ? { labels: Int32Array.from(labels) } : {}) };
}

/** How many things the logits of a model tell apart: classes, or for each query the words of a text and none of them. */
const classesIn = (config: DenseConfig): number =>
  mdetrFamily.is(config) ? config.text.context + 1 : familyOf(config).classes(config);

/** Answers of a model that tells every pixel apart are many: no more numbers than these are compared. */
const MOST_NUMBERS = 2 ** 26;
