import { DataError, openTokenizer } from '@winnow/data';
import type { Companions } from '@winnow/formats';
import { z } from 'zod';

const CONFIG_FILE = 'tokenizer_config.json';

/** The parts of a `tokenizer.json` that tell what its tokens are called. */
const tokenizerFile = z.looseObject({
  added_tokens: z.array(z.looseObject({ content: z.string(), id: z.int() })).default([]),
  model: z.looseObject({
    type: z.string(),
    vocab: z.record(z.string(), z.int()),
    unk_token: z.string().nullish(),
  }),
});

/**
 * The configuration that `transformers` reads beside a tokenizer's vocabulary: which class reads it, what its special
 * tokens are called (texts are filled up with the end token, as CLIP's are) and how long a text may be. Nothing for a
 * tokenizer of a kind that we do not read, which its own configuration describes.
 * @param context Tokens of the longest text.
 */
export async function tokenizerConfig(tokenizerPath: string, context: number): Promise<Companions> {
  const tokenizer = await openTokenizer(tokenizerPath).catch((error: unknown) => {
    if (error instanceof DataError) return undefined;
    throw error;
  });
  if (tokenizer === undefined) return {};
  const { added_tokens: added, model } = tokenizerFile.parse(tokenizer.file);
  const names = new Map([
    ...Object.entries(model.vocab).map(([name, index]) => [index, name] as const),
    ...added.map(({ id, content }) => [id, content] as const),
  ]);
  const end = names.get(tokenizer.endToken);
  return {
    [CONFIG_FILE]: textOf({
      tokenizer_class: model.type === 'BPE' ? 'CLIPTokenizer' : 'PreTrainedTokenizerFast',
      bos_token: names.get(tokenizer.startToken),
      eos_token: end,
      pad_token: end,
      ...(typeof model.unk_token === 'string' ? { unk_token: model.unk_token } : {}),
      model_max_length: context,
    }),
  };
}

const textOf = (content: unknown): string => `${JSON.stringify(content, undefined, 2)}\n`;
