import {
  type Task,
  type TensorTree,
  UserError,
  asDense,
  classification,
  dualEncoderFamily,
  pictureInputs,
  zeroShot,
} from '@winnow/core';
import { type FoundImageClassificationData, encodeAll, openTokenizer } from '@winnow/data';
import type { OpenedModel } from '../model-source/open-model';
import type { DataChoice } from '../options/training';
import { openPictures } from './classification';
import { NAME, promptNotes, promptsOf } from './prompts';
import { checkChannels, checkTokens } from './fit';

/** A dual encoder as a classifier of labelled pictures. */
export interface ZeroShotClassifier {
  readonly data: FoundImageClassificationData;
  readonly task: Task;
  /** The caller owns them. */
  readonly params: TensorTree;
}

/**
 * @param templates Prompts with {} for the name of a class, separated by |.
 * @throws {UserError} for another kind of model, a prompt without {}, a model without its tokenizer, or one that does not
 * fit the tokenizer or the data.
 */
export async function zeroShotClassifier(
  choice: DataChoice,
  opened: OpenedModel,
  templates: string,
): Promise<ZeroShotClassifier> {
  const dense = asDense(opened);
  const { tokenizerPath } = opened;
  if (!dualEncoderFamily.holds(dense))
    throw new UserError(`--zero-shot needs a dual encoder, got a ${dense.kind}`);
  const { model, params } = dense;
  if (tokenizerPath === undefined)
    throw new UserError('--zero-shot: the model has no tokenizer.json beside it');
  const prompts = templates.split('|');
  const without = prompts.find((prompt) => !prompt.includes(NAME));
  if (without !== undefined) {
    throw new UserError(
      `--zero-shot: expected prompts with ${NAME} for the class, got ${JSON.stringify(without)}`,
    );
  }
  const { vision, text } = model.config;
  const tokenizer = await openTokenizer(tokenizerPath);
  checkTokens(text, tokenizer);
  const data = await openPictures(choice, vision.imageSize, opened.normalisation);
  checkChannels(vision, data);
  const { imageSize, channels, classes } = data;
  const texts = classes.flatMap((name) => promptsOf(name, prompts));
  const notes = [...data.notes, ...promptNotes(tokenizer, { classes, prompts, context: text.context })];
  const classifier = zeroShot(model, params, {
    ...encodeAll(tokenizer, texts, text.context),
    perClass: prompts.length,
  });
  const inputs = pictureInputs({ imageSize, channels });
  const task = classification(classifier, { inputs, classes: classes.length });
  return { data: { ...data, notes }, task, params: classifier.params };
}
