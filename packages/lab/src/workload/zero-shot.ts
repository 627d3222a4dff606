import {
  type DualEncoder,
  type DualEncoderParams,
  type Task,
  type TensorTree,
  UserError,
  asDense,
  classification,
  dualEncoderFamily,
  pictureInputs,
  zeroShot,
} from '@winnow/core';
import { type FoundImageClassificationData, type Tokenizer, encodeAll } from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import type { OpenedModel } from '../model-source/open-model';
import { type PictureChoice, openPictures } from './classification';
import { NAME, promptNotes, promptsOf } from './prompts';
import { checkChannels, checkTokens, textFilling } from './fit';

/** A dual encoder as a classifier of labelled pictures. */
export interface ZeroShotClassifier {
  readonly data: FoundImageClassificationData;
  readonly task: Task;
  /** The caller owns them. */
  readonly params: TensorTree;
}

/** A dual encoder, and the tokenizer that its texts are read by. */
export interface ReaderOfTexts {
  readonly model: DualEncoder;
  readonly params: DualEncoderParams;
  readonly tokenizer: Tokenizer;
}

/**
 * Reads a model as a dual encoder, with the tokenizer beside it.
 * @param flag The flag that needs it, for the error.
 * @throws {UserError} for another kind of model, without a tokenizer, or with one that does not fit.
 */
export async function readerOfTexts(opened: OpenedModel, flag: string): Promise<ReaderOfTexts> {
  const dense = asDense(opened);
  if (!dualEncoderFamily.holds(dense))
    throw new UserError(`${flag} needs a dual encoder, got a ${dense.kind}`);
  const { model, params } = dense;
  const tokenizer = await givenTokenizer(opened, flag);
  checkTokens(model.config.text, tokenizer);
  return { model, params, tokenizer };
}

/**
 * @param templates Prompts with {} for the name of a class, separated by |.
 * @throws {UserError} for another kind of model, a prompt without {}, a model without its tokenizer, or one that does not
 * fit the tokenizer or the data.
 */
export async function zeroShotClassifier(
  choice: PictureChoice,
  opened: OpenedModel,
  templates: string,
): Promise<ZeroShotClassifier> {
  const { model, params, tokenizer } = await readerOfTexts(opened, '--zero-shot');
  const prompts = templates.split('|');
  const without = prompts.find((prompt) => !prompt.includes(NAME));
  if (without !== undefined) {
    throw new UserError(
      `--zero-shot: expected prompts with ${NAME} for the class, got ${JSON.stringify(without)}`,
    );
  }
  const { vision, text } = model.config;
  const data = await openPictures(choice, vision.imageSize, opened.preparation);
  checkChannels(vision, data);
  const { imageSize, channels, classes } = data;
  const texts = classes.flatMap((name) => promptsOf(name, prompts));
  const notes = [...data.notes, ...promptNotes(tokenizer, { classes, prompts, context: text.context })];
  const classifier = zeroShot(model, params, {
    ...encodeAll(tokenizer, texts, text.context, textFilling(text)),
    perClass: prompts.length,
  });
  const inputs = pictureInputs({ imageSize, channels });
  const task = classification(classifier, { inputs, classes: classes.length });
  return { data: { ...data, notes }, task, params: classifier.params };
}
