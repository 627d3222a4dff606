import type { Picture, Tokenizer } from '@winnow/data/preparation';
import { encodeAll } from '@winnow/data/preparation';
import type { InferenceSession } from 'onnxruntime-web';
import type { Backend, DemoModel } from '../demo-data';
import { preparedPicture } from './picture';
import type { Runtime } from './runtime';

/** A model's files, as they came. */
export interface ModelFiles {
  readonly vision: Uint8Array;
  readonly text: Uint8Array | undefined;
}

/** A model that runs here. */
export interface RunningModel {
  /** Gives the logits of a picture; of a dual encoder, for the texts that were read last. `ms` is the time of the picture alone. */
  answer(picture: Picture): Promise<{ readonly logits: readonly number[]; readonly ms: number }>;
  /** Has a dual encoder read texts. */
  read(texts: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens a model on a backend. */
export async function openedModel(
  { InferenceSession, Tensor }: Runtime,
  backend: Backend,
  { preparation, text: reader }: DemoModel,
  { vision, text }: ModelFiles,
  tokenizer: Tokenizer | undefined,
): Promise<RunningModel> {
  const options = { executionProviders: [backend] };
  const pictures = await InferenceSession.create(vision, options);
  const texts = text === undefined ? undefined : await InferenceSession.create(text, options);
  let known: readonly Float32Array[] = [];
  return {
    async answer(picture) {
      const { values, shape } = preparedPicture(picture, preparation);
      const start = performance.now();
      const found = await resultOf(pictures, new Tensor('float32', values, shape));
      const ms = performance.now() - start;
      if (reader === null) return { logits: [...found], ms };
      return { logits: known.map((own) => reader.scale * product(found, own) + reader.bias), ms };
    },
    async read(asked) {
      if (reader === null || texts === undefined || tokenizer === undefined) return;
      const { context } = reader;
      const { tokens } = encodeAll(tokenizer, asked, context, { fillsContext: true });
      const input = new Tensor('int64', BigInt64Array.from(tokens, BigInt), [asked.length, context]);
      const found = await resultOf(texts, input);
      const width = found.length / asked.length;
      known = asked.map((_, at) => found.slice(at * width, (at + 1) * width));
    },
    async close() {
      await pictures.release();
      await texts?.release();
    },
  };
}

async function resultOf(
  session: InferenceSession,
  input: InstanceType<Runtime['Tensor']>,
): Promise<Float32Array> {
  const [from = ''] = session.inputNames;
  const [to = ''] = session.outputNames;
  const { [to]: found } = await session.run({ [from]: input });
  const data = await found?.getData();
  if (!(data instanceof Float32Array)) throw new Error(`expected float32 of the output ${to}`);
  return data;
}

const product = (one: Float32Array, other: Float32Array): number =>
  one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
