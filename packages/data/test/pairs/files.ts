import type { Dataset, PairBatch } from '@winnow/core';
import { DataError, type ImageTextOptions } from '../../src/index';
import { gradient, temporaryFolders, writeTree } from '../pictures/temporary';
import { numberedTexts } from './numbered-texts';

/** Two captions of each of twelve pictures. */
export const TEXTS = Array.from({ length: 12 }, (_, picture) => [
  `a cat, ${picture}`,
  `a "dog" ${picture}`,
]).flat();
const tokenizer = numberedTexts([...TEXTS, 'a cat,\ntwo lines']);
export const OPTIONS: ImageTextOptions = { imageSize: 16, tokenizer };

/** An example as `read` gives it: a picture and its two captions. */
export const example = (shift: number) => ({ shift, texts: TEXTS.slice(2 * shift, 2 * shift + 2) });
export const examples = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => example(from + at));

/** Names of pictures, with the shift of the colours that tells them apart. */
export const pictures = (prefix: string, from: number, to: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: to - from }, (_, at) => [`${prefix}${from + at}.png`, from + at]));

/** Makes folders called `pets` that are gone after the tests: numbers stand for pictures, objects for JSON. */
export function folders(): (files: Record<string, number | Buffer | string | object>) => Promise<string> {
  const temporary = temporaryFolders();
  return async (files) => {
    const root = await temporary('pets');
    const contents = Object.entries(files).map(([path, content]): [string, number | Buffer] => [
      path,
      typeof content === 'number' || Buffer.isBuffer(content)
        ? content
        : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
    ]);
    await writeTree(root, Object.fromEntries(contents));
    return root;
  };
}

/** The error that a promise fails with, which has to be a mistake in the data. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DataError) return error.message;
  throw new Error(`expected a DataError, got ${String(error)}`);
}

/** Reads the texts of each example, and the shift of the generated picture that it shows. */
export async function read(dataset: Dataset<PairBatch>): Promise<{ shift: number; texts: string[] }[]> {
  const found = [];
  for (let index = 0; index < dataset.size; index++) {
    const batch = await dataset.batch([index]);
    const first = Math.round(((batch.images[0] ?? 0) * 0.229 + 0.485) * 255);
    found.push({ shift: first - (gradient(20, 16)[2 * 3] ?? 0), texts: tokenizer.textsIn(batch) });
  }
  return found;
}
