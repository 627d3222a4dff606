import type { Companions } from '@winnow/formats';
import { z } from 'zod';
import { tokenizerIfRead } from './companions';

const CONFIG_FILE = 'tokenizer_config.json';

/** The parts of a `tokenizer.json` that tell what its tokens are called. */
const tokenizerFile = z.looseObject({
  added_tokens: z.array(z.looseObject({ content: z.string(), id: z.int() })).default([]),
  model: z.looseObject({
    type: z.string(),
    vocab: z.union([
      z.record(z.string(), z.int()).transform((vocab) => Object.entries(vocab)),
      z
        .array(z.tuple([z.string()], z.unknown()))
        .transform((pieces) => pieces.map(([piece], index): [string, number] => [piece, index])),
    ]),
    unk_id: z.int().nullish(),
    unk_token: z.string().nullish(),
  }),
});

/**
 * The configuration that `transformers` reads beside a tokenizer's vocabulary: which class reads it, what its special
 * tokens are called (texts are filled up with the end token, as CLIP's are, unless it says another) and how long a text may be.
 * Nothing for a tokenizer of a kind that we do not read, which its own configuration describes.
 * @param context Tokens of the longest text.
 */
export async function tokenizerConfig(tokenizerPath: string, context: number): Promise<Companions> {
  const tokenizer = await tokenizerIfRead(tokenizerPath);
  if (tokenizer === undefined) return {};
  const { added_tokens: added, model } = tokenizerFile.parse(tokenizer.file);
  const names = new Map([
    ...model.vocab.map(([name, index]) => [index, name] as const),
    ...added.map(({ id, content }) => [id, content] as const),
  ]);
  const end = names.get(tokenizer.endToken);
  const start = tokenizer.startToken;
  const unknown = model.unk_token ?? (typeof model.unk_id === 'number' ? names.get(model.unk_id) : undefined);
  return {
    [CONFIG_FILE]: textOf({
      tokenizer_class: classOf(tokenizerPath, model.type),
      ...(start === undefined ? {} : { bos_token: names.get(start) }),
      eos_token: end,
      pad_token: names.get(tokenizer.padToken),
      ...(unknown === undefined ? {} : { unk_token: unknown }),
      model_max_length: context,
    }),
  };
}

/** The class of `transformers` that reads what lies there. */
function classOf(tokenizerPath: string, type: string): string {
  if (tokenizerPath.endsWith('.model')) return 'SiglipTokenizer';
  return type === 'BPE' ? 'CLIPTokenizer' : 'PreTrainedTokenizerFast';
}

const textOf = (content: unknown): string => `${JSON.stringify(content, undefined, 2)}\n`;
