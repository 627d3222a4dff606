import { type TextTowerConfig, UserError, textTowerConfig } from '@winnow/core';
import { type Tokenizer, openTokenizer } from '@winnow/data';
import { z } from 'zod';
import { givenTokenizer } from '../model-source/given-tokenizer';
import type { OpenedModel } from '../model-source/open-model';
import { pathOption } from '../options/path';
import { textFilling } from './fit';
import { textModels } from './sizes';
import { kebab } from '../options/group';

/** Options of a new text tower. */
export const textShape = {
  textModel: z
    .enum(textModels)
    .optional()
    .describe("Size of a new text tower, CLIP's text transformer; default: nano"),
  tokenizer: pathOption('tokenizer')
    .min(1)
    .optional()
    .describe("CLIP's vocabulary file or a Hugging Face tokenizer; default: the words of the training texts"),
  context: z
    .int()
    .min(3)
    .optional()
    .describe('Tokens of the longest text; default: 77 with a tokenizer, else what the training texts need'),
};
export const textOptions = z.object(textShape);
export type TextOptions = z.output<typeof textOptions>;

/** Finds how texts are read by a new tower. */
export async function newTexts({
  tokenizer,
  context,
}: TextOptions): Promise<{ tokenizer?: Tokenizer; context?: number }> {
  return {
    ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
    ...(context === undefined ? {} : { context }),
  };
}

/** A text tower whose words look both ways: it has no weights that learned to look back alone. */
export function newTextTower(
  { textModel = 'nano' }: TextOptions,
  data: Parameters<typeof textTowerConfig>[1],
): TextTowerConfig {
  const text = textTowerConfig(textModel, data);
  return { ...text, tower: { ...text.tower, causal: false } };
}

/**
 * Finds how texts are read by the tower of a model.
 * @throws {UserError} when the tokenizer is missing, or options are for a new tower.
 */
export async function givenTexts(opened: OpenedModel, text: TextTowerConfig, own: TextOptions) {
  const idle = (['textModel', 'tokenizer', 'context'] as const).find((name) => own[name] !== undefined);
  if (idle !== undefined)
    throw new UserError(`--${kebab(idle)} has no use: the model of --from has a text tower of its own`);
  return { tokenizer: await givenTokenizer(opened), context: text.context, ...textFilling(text) };
}
