import { type PictureSize, UserError, sidesOf } from '@winnow/core';
import { type Normalisation, type Tokenizer, imageNetNormalisation, thumbnail } from '@winnow/data';
import { z } from 'zod';
import { saidBy } from './said-by';
import type { Said } from './workload';

const SIDE_PX = 160;
const CHANNELS = 3;

const shown = z.object({ images: z.instanceof(Float32Array) });
const captioned = z.object({ tokens: z.instanceof(Int32Array), texts: z.int().positive() });
const asked = captioned.extend({ given: z.array(z.array(z.string())) });
const stated = captioned.extend({ labels: z.instanceof(Int32Array) });
const logits = z.object({ logits: z.object({ values: z.instanceof(Float32Array) }) });

/** Data whose pictures are shown. */
export interface ShownExamples {
  readonly imageSize: PictureSize;
  readonly normalisation?: Normalisation | undefined;
}

/** Data whose examples are told of. */
export interface ToldExamples extends ShownExamples {
  readonly tokenizer: Tokenizer;
  readonly endToken: number;
}

/** The pictures of a batch of one example, small. */
export async function picturesIn(batch: unknown, data: ShownExamples): Promise<readonly string[]> {
  const { images } = shown.parse(batch);
  const { height, width } = sidesOf(data.imageSize);
  const each = height * width * CHANNELS;
  return Promise.all(
    Array.from({ length: images.length / each }, (_, picture) =>
      thumbnail(
        images.subarray(picture * each, (picture + 1) * each),
        data.imageSize,
        data.normalisation ?? imageNetNormalisation,
        SIDE_PX,
      ),
    ),
  );
}

/** The first text of a batch, without what begins and ends it; empty where its tokens cannot be put together to a text. */
export function textIn(batch: unknown, { tokenizer, endToken }: ToldExamples): string {
  const speak = speakerIfAny(tokenizer);
  const { tokens, texts } = captioned.parse(batch);
  const own = [...tokens.subarray(0, tokens.length / texts)];
  const end = own.indexOf(endToken);
  return speak === undefined ? '' : speak(own.slice(1, end < 0 ? own.length : end));
}

function speakerIfAny(tokenizer: Tokenizer): ReturnType<typeof saidBy> | undefined {
  try {
    return saidBy(tokenizer);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** A caption that is written, beside one of the right ones. */
export const captionSaid =
  (data: ToldExamples) =>
  async (answer: unknown, batch: unknown): Promise<Said> => ({
    pictures: await picturesIn(batch, data),
    asked: '',
    right: textIn(batch, data),
    said: saidBy(data.tokenizer)(z.array(z.array(z.number())).parse(answer)[0] ?? []),
  });

/** An answer in words to a question. */
export const answerSaid =
  (data: ToldExamples) =>
  async (answer: unknown, batch: unknown): Promise<Said> => ({
    pictures: await picturesIn(batch, data),
    asked: textIn(batch, data),
    right: [...new Set(asked.parse(batch).given[0])].join(', '),
    said: z.array(z.string()).parse(answer)[0] ?? '',
  });

/** Whether a statement is true. */
export const statementSaid =
  (data: ToldExamples) =>
  async (answer: unknown, batch: unknown): Promise<Said> => {
    const [no = Number.NaN, yes = Number.NaN] = logits.parse(answer).logits.values;
    const { labels } = stated.parse(batch);
    return {
      pictures: await picturesIn(batch, data),
      asked: textIn(batch, data),
      right: labels[0] === 1 ? 'true' : 'false',
      said: yes > no ? 'true' : 'false',
    };
  };
