import { type Dataset, UserError, denseConfigOf, familyOf, placesOf } from '@winnow/core';
import type { Answers, ExampleInput, Examples, ModelPart } from '@winnow/onnx';
import { z } from 'zod';
import { tokenizerIfRead } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import { engineAnswers } from './engine-answers';

/** Examples for the parts of a model, by their names. */
export type ExamplesOfParts = ReadonlyMap<ModelPart['name'], Examples>;

const AT_A_TIME = 16;
const batchShape = z.object({
  size: z.int().positive(),
  images: z.instanceof(Float32Array).optional(),
  regions: z
    .object({
      count: z.int().nonnegative(),
      features: z.instanceof(Float32Array),
      boxes: z.instanceof(Float32Array),
      real: z.instanceof(Float32Array),
    })
    .optional(),
  hiddenRegions: z.instanceof(Float32Array).optional(),
  texts: z.int().positive().optional(),
  tokens: z.instanceof(Int32Array).optional(),
  imageGroups: z.instanceof(Int32Array).optional(),
  textGroups: z.instanceof(Int32Array).optional(),
  answers: z.instanceof(Int32Array).optional(),
  labels: z.instanceof(Int32Array).optional(),
});
type Batch = z.output<typeof batchShape>;

/** Inputs that say what a picture's regions show, where they are, which of them are there, and which are hidden. */
type RegionPort = 'visual_feats' | 'visual_pos' | 'visual_mask' | 'visual_hidden';
const isRegionPort = (name: string): name is RegionPort => /^visual_(?:feats|pos|mask|hidden)$/.test(name);

/** Whether the data have what an input takes; the others take what another file gives. */
export const isOfData = (name: string): boolean =>
  name === 'pixel_values' || name === 'input_ids' || isRegionPort(name);

/** Examples of a split in host memory, one entry of each list an example. */
interface Read {
  /** Pixels of its picture, or of its pictures, [H, W, C] each; none where regions stand for them. */
  readonly pixels: Float32Array[];
  readonly regions: Readonly<Record<RegionPort, Float32Array>>[];
  readonly texts: Int32Array[];
  /** Answers in words. */
  readonly answers: Int32Array[];
  readonly labels: number[];
}

/**
 * Examples of a split in the layout of the files: pictures, each with one of its texts, filled up. A part that takes what another part
 * gives is given the engine's.
 * @param numbers Of the examples in the split.
 * @returns the examples, and the class of each where the data say it.
 * @throws {UserError} when a part reads texts, and the data have none.
 */
export async function examplesOfData(
  split: Dataset<unknown>,
  numbers: ArrayLike<number>,
  opened: OpenedModel,
  parts: readonly ModelPart[],
): Promise<{ readonly examples: ExamplesOfParts; readonly labels: readonly number[] }> {
  const read = await readExamples(split, numbers);
  const count = numbers.length;
  const padToken = await padTokenOf(opened);
  const found = new Map<ModelPart['name'], Examples>();
  const given = new Map<string, Float32Array>();
  for (const [index, part] of parts.entries()) {
    const inputs = part.inputs.map(({ name, type, shape: [, ...extents] }): [string, ExampleInput] => {
      const shape = extents.map(Number);
      if (type === 'int64')
        return [name, textsInput(part.texts?.are === 'answers' ? read.answers : read.texts, shape, padToken)];
      if (isRegionPort(name)) return [name, regionsInput(read.regions, name, shape)];
      const values = given.get(name) ?? picturesInput(read.pixels, shape);
      return [name, { shape, values }];
    });
    const examples = { count: count * part.times, inputs: Object.fromEntries(inputs) };
    found.set(part.name, examples);
    const isAsked = parts.slice(index + 1).some((later) => takesFrom(later, part));
    if (!isAsked) continue;
    const answers: Answers = await engineAnswers(opened, part, examples);
    for (const [name, values] of Object.entries(answers)) given.set(name, values);
  }
  return { examples: found, labels: read.labels.length === count ? read.labels : [] };
}

/** Whether a part takes numbers that another part gives. */
const takesFrom = ({ inputs }: ModelPart, { name: from }: ModelPart): boolean =>
  (from === 'vision' || from === 'grounded') && inputs.some(({ name }) => !isOfData(name));

async function readExamples(split: Dataset<unknown>, numbers: ArrayLike<number>): Promise<Read> {
  const read: Read = { pixels: [], regions: [], texts: [], answers: [], labels: [] };
  const all = Array.from(numbers);
  for (let start = 0; start < all.length; start += AT_A_TIME) {
    const batch = batchShape.parse(await split.batch(all.slice(start, start + AT_A_TIME)));
    const { size, images, regions, hiddenRegions, answers, labels } = batch;
    for (let example = 0; example < size; example++) {
      if (images !== undefined) read.pixels.push(rowOf(images, size, example));
      if (regions !== undefined) {
        const { features, boxes, real } = regions;
        read.regions.push({
          visual_feats: rowOf(features, size, example),
          visual_pos: rowOf(boxes, size, example),
          visual_mask: rowOf(real, size, example),
          visual_hidden: rowOf(hiddenRegions ?? new Float32Array(real.length), size, example),
        });
      }
      const text = textOf(batch, example);
      if (text !== undefined) read.texts.push(text);
      if (answers !== undefined) read.answers.push(rowOf(answers, size, example));
    }
    read.labels.push(...(labels ?? []));
  }
  return read;
}

/** An array that is cut into rows without a copy. */
interface Rows<Values> {
  readonly length: number;
  subarray(from: number, to: number): Values;
}

function rowOf<Values>(values: Rows<Values>, rows: number, row: number): Values {
  const size = values.length / rows;
  return values.subarray(row * size, (row + 1) * size);
}

/** The text of an example: its own, or the first of its group. */
function textOf({ size, texts, tokens, imageGroups, textGroups }: Batch, example: number) {
  if (tokens === undefined || texts === undefined) return undefined;
  const group = imageGroups?.[example];
  const place = group === undefined || textGroups === undefined ? example : textGroups.indexOf(group);
  if (place < 0 || (textGroups === undefined && texts !== size)) return undefined;
  return rowOf(tokens, texts, place);
}

function textsInput(texts: readonly Int32Array[], shape: readonly number[], padToken: number): ExampleInput {
  if (texts.length === 0)
    throw new UserError('the model reads texts, but the data have none to ask about: --data');
  const [context = 1] = shape;
  const values = new BigInt64Array(texts.length * context).fill(BigInt(padToken));
  for (const [at, text] of texts.entries())
    values.set(BigInt64Array.from(text.subarray(0, context), BigInt), at * context);
  return { shape, values };
}

/**
 * Regions of each picture, or of two, [2, R, N], with padding up to as many as the part takes; what is beyond them is left out.
 * Which are there, or hidden, has no N.
 */
function regionsInput(regions: Read['regions'], port: RegionPort, shape: readonly number[]): ExampleInput {
  const isMask = port === 'visual_mask' || port === 'visual_hidden';
  const [count = 1, width = 1] = isMask ? [shape.at(-1)] : shape.slice(-2);
  const [size, pictures] = [count * width, shape.length === (isMask ? 1 : 2) ? 1 : 2];
  const values = new Float32Array(regions.length * pictures * size);
  for (const [at, own] of regions.entries()) {
    const given = port === 'visual_pos' ? placesOf(own[port], width) : own[port];
    for (let picture = 0; picture < pictures; picture++)
      values.set(rowOf(given, pictures, picture).subarray(0, size), (at * pictures + picture) * size);
  }
  return { shape, values };
}

function picturesInput(pixels: readonly Float32Array[], shape: readonly number[]): Float32Array {
  const values = new Float32Array(pixels.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const own of pixels) {
    channelsFirst(own, shape, values.subarray(at, at + own.length));
    at += own.length;
  }
  return values;
}

/** The token that texts are filled up with. */
async function padTokenOf({ model, tokenizerPath }: OpenedModel): Promise<number> {
  const tokenizer = tokenizerPath === undefined ? undefined : await tokenizerIfRead(tokenizerPath);
  if (tokenizer !== undefined) return tokenizer.padToken;
  const config = denseConfigOf(model);
  const { endToken } = familyOf(config).towers(config).text ?? {};
  return typeof endToken === 'number' ? endToken : 0;
}

/** [B, H, W, C] → [B, C, H, W], pictures of pairs too. */
function channelsFirst(images: Float32Array, shape: readonly number[], into: Float32Array): void {
  const [channels = 1, height = 1, width = 1] = shape.slice(-3);
  const pixels = height * width;
  for (let at = 0; at < images.length; at++) {
    const channel = at % channels;
    const pixel = Math.floor(at / channels) % pixels;
    const picture = Math.floor(at / (channels * pixels));
    into[(picture * channels + channel) * pixels + pixel] = images[at] ?? 0;
  }
}
