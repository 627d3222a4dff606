import {
  type DenseConfig,
  type LxmertConfig,
  type RegionHead,
  type UniterConfig,
  LEAST_DETECTED,
  asDense,
  blipFamily,
  denseConfigOf,
  dualEncoderFamily,
  familyOf,
  glipFamily,
  headOfLxmert,
  lxmertFamily,
  mdetrFamily,
  uniterFamily,
  viltFamily,
} from '@winnow/core';
import type { Examples, ModelPart } from '@winnow/onnx';
import type { OpenedModel } from '../model-source/open-model';
import { choicesOfRun } from '../run-folder/record';
import { dataOfRun, readingOfRun } from '../run-folder/run-data';
import { workloadFor } from '../workload/choice';
import type { Workload } from '../workload/workload';
import { type ExamplesOfParts, examplesOfData } from './data-examples';
import { engineAnswers } from './engine-answers';

/** The answer that agreement is about. */
export type Asked =
  | {
      readonly kind: 'classes';
      readonly part: ModelPart;
      /** The output of it that has the logits. */
      readonly output: string;
      readonly classes: number;
      /** A detector has this, as its classes are words: the output that says which are read, [B, K], and the logit from which one counts. */
      readonly words?: { readonly read: string; readonly least: number };
      /** The class of each, where the data say it. */
      readonly labels?: Int32Array;
    }
  /** The text that fits each picture best, among the different texts of all. */
  | { readonly kind: 'texts'; readonly pictures: AskedPart; readonly texts: AskedPart };

/** An output of a part. */
export interface AskedPart {
  readonly part: ModelPart;
  readonly output: string;
}

/** Pictures that a proof asks the files and the engine about, in the layout of the files; or why there are none. */
export type RealPictures =
  | {
      /** For each part that is asked, with what the engine's parts before it have given. */
      readonly pictures: ExamplesOfParts;
      readonly asked: Asked;
      /** The kind of example, in the plural. */
      readonly examples: string;
      /** Why they are fewer than were asked for. */
      readonly fewer?: string;
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
 * The first pictures of the test split, with their texts where the model reads some.
 * @param path The model's.
 * @param parts Of the model.
 * @param options Those of the command that say which data, and how they are read.
 * @throws {UserError} when they do not fit the model, or those of the run are gone.
 */
export async function realPictures(
  path: string,
  opened: OpenedModel,
  parts: readonly ModelPart[],
  options: { readonly data?: string | undefined; readonly pictures: number },
): Promise<RealPictures> {
  if (options.pictures === 0) return { why: 'no pictures were asked for: --pictures 0' };
  const config = denseConfigOf(opened.model);
  const towers = towersOf(config, parts);
  if (towers !== undefined) return picturesWithTexts(path, opened, towers, options);
  const classes = classesIn(config);
  const chain = blipFamily.is(config) ? parts.filter(({ name }) => name !== 'text') : parts.slice(0, 1);
  const part = chain.at(-1);
  if (classes === 0 || part === undefined)
    return {
      why: 'the model tells no classes of pictures apart: its answers to fixed examples are compared, number by number',
    };
  const workload = await dataOf(path, opened, options.data);
  if (workload === undefined) return { why: NO_DATA };
  const { test } = workload;
  const output = outputAsked(config);
  const one = (await firstOf(test, 1, opened, chain)).examples.get(part.name);
  const { [output]: answer } = one === undefined ? {} : await engineAnswers(opened, part, one);
  if (answer === undefined) throw new RangeError(`expected ${output}`);
  const most = Math.max(1, Math.floor(MOST_NUMBERS / answer.length));
  const count = Math.min(options.pictures, test.size, most);
  const { examples, labels } = await firstOf(test, count, opened, chain);
  return {
    pictures: examples,
    asked: {
      ...{ kind: 'classes', part, output, classes },
      ...(labels.length === count ? { labels: Int32Array.from(labels) } : {}),
      ...(glipFamily.is(config)
        ? { words: { read: 'read', least: Math.log(LEAST_DETECTED / (1 - LEAST_DETECTED)) } }
        : {}),
    },
    examples: namedExamples(chain),
    ...fewerThan(options.pictures, test.size, count),
  };
}

const NO_DATA = 'no data are known to ask about: --data';

/** The first examples of a split, for parts of a model. */
const firstOf = (
  split: Workload['test'],
  count: number,
  opened: OpenedModel,
  parts: readonly ModelPart[],
): ReturnType<typeof examplesOfData> =>
  examplesOfData(
    split,
    Array.from({ length: count }, (_, at) => at),
    opened,
    parts,
  );

/** The two files of a dual encoder; undefined of other models. */
function towersOf(config: DenseConfig, parts: readonly ModelPart[]) {
  if (!dualEncoderFamily.is(config)) return undefined;
  const partOf = (name: ModelPart['name']): ModelPart => {
    const own = parts.find((part) => part.name === name);
    if (own === undefined) throw new RangeError(`expected a part ${name}`);
    return own;
  };
  return {
    pictures: { part: partOf('vision'), output: 'image_embeds' },
    texts: { part: partOf('text'), output: 'text_embeds' },
  };
}

/** The first pictures of the test split, each with its first text. */
async function picturesWithTexts(
  path: string,
  opened: OpenedModel,
  towers: { readonly pictures: AskedPart; readonly texts: AskedPart },
  options: { readonly data?: string | undefined; readonly pictures: number },
): Promise<RealPictures> {
  const workload = await dataOf(path, opened, options.data);
  if (workload === undefined) return { why: NO_DATA };
  const { test } = workload;
  const count = Math.min(options.pictures, test.size);
  const { examples } = await firstOf(test, count, opened, [towers.pictures.part, towers.texts.part]);
  if (distinctTexts(examples.get('text')).length < 2)
    return { why: 'the pictures have the same text: there is nothing to tell apart' };
  return {
    pictures: examples,
    asked: { kind: 'texts', ...towers },
    examples: 'pictures with texts',
    ...fewerThan(options.pictures, test.size, count),
  };
}

/** The first place of each text among the texts of all examples, by their tokens. */
export function distinctTexts(examples: Examples | undefined): readonly number[] {
  const [texts] = Object.values(examples?.inputs ?? {});
  if (examples === undefined || texts === undefined) return [];
  const { values } = texts;
  const size = values.length / examples.count;
  const places = new Map<string, number>();
  for (let at = 0; at < examples.count; at++) {
    const own = values.subarray(at * size, (at + 1) * size).join(' ');
    if (!places.has(own)) places.set(own, at);
  }
  return [...places.values()];
}

function fewerThan(asked: number, size: number, count: number): { readonly fewer?: string } {
  if (count >= asked) return {};
  const why =
    count === size ? `the test split has ${size}` : `each has so many answers that ${count} are enough`;
  return { fewer: `${asked} were asked for: ${why}` };
}

/** Names the examples that parts are asked about. */
function namedExamples(parts: readonly ModelPart[]): string {
  const ports = parts.flatMap(({ inputs }) => inputs);
  const arePairs = ports.some(({ name, shape }) => shape.length === ranksOfPairs[name]);
  if (arePairs) return 'pairs of pictures with statements';
  return ports.some(({ name }) => name === 'input_ids') ? 'pictures with texts' : 'pictures';
}

/** Axes of inputs that have two pictures each. */
const ranksOfPairs: Readonly<Record<string, number>> = { pixel_values: 5, visual_mask: 3, image_states: 4 };

/** The answer that agreement is about: hidden words, where a model is for its pre-training. */
function outputAsked(config: DenseConfig): string {
  if (blipFamily.is(config) && config.purpose === 'retrieval') return 'matches';
  return isForPreTraining(config) ? 'words' : 'logits';
}

const isForPreTraining = (config: DenseConfig): config is UniterConfig | LxmertConfig =>
  (uniterFamily.is(config) && config.head.kind === 'pre-training') ||
  (lxmertFamily.is(config) && headOfLxmert(config).kind === 'pre-training');

/** Counts the things that are told apart: classes, for each query the words of a text and none of them, or words that come next. */
function classesIn(config: DenseConfig): number {
  if (mdetrFamily.is(config)) return config.text.context + 1;
  if (blipFamily.is(config)) return config.decoder?.vocabulary ?? 2;
  if (glipFamily.is(config)) return config.text.context;
  if (isForPreTraining(config)) return config.text.vocabulary;
  if (viltFamily.is(config) && (config.head.kind === 'statements' || config.head.kind === 'matching'))
    return 2;
  if (uniterFamily.is(config))
    return chosenOf(config.head, config.regions.count) ?? familyOf(config).classes(config);
  if (lxmertFamily.is(config))
    return chosenOf(headOfLxmert(config), config.vision.regions) ?? familyOf(config).classes(config);
  return familyOf(config).classes(config);
}

/** Counts the choices of a head that tells no answers apart but false and true, or regions; undefined for another. */
function chosenOf({ kind }: RegionHead, regions: number): number | undefined {
  if (kind === 'statements') return 2;
  return kind === 'expressions' ? regions : undefined;
}

/** Answers of a model that tells every pixel apart are many: no more numbers than these are compared. */
const MOST_NUMBERS = 2 ** 26;
