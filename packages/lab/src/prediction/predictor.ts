import {
  type Exclusion,
  type Task,
  type TensorTree,
  UserError,
  type VisionTowerConfig,
  asDense,
  classification,
  disposeTree,
  dualEncoderFamily,
  lendRunning,
  lxmertFamily,
  pictureInputs,
  uniterFamily,
  visionTransformerFamily,
  zeroShot,
} from '@winnow/core';
import { encodeAll } from '@winnow/data';
import type { OpenedModel } from '../model-source/open-model';
import { textFilling } from '../workload/fit';
import { readerOfTexts } from '../workload/zero-shot';
import { checkTexts, textsIn } from './texts';

/** A model that tells pictures apart, whatever by. */
export interface Predictor {
  /** Classes of its own, or texts that it was given. */
  readonly by: 'classes' | 'texts';
  /** Whether only one of them is right for a picture. */
  readonly exclusion: Exclusion;
  /** Their names, in the order of the logits; numbers from 0 where the model has no names. */
  readonly names: readonly string[];
  /** Notes for a person, a line each. */
  readonly notes: readonly string[];
  /** The pictures that it takes. */
  readonly vision: Pick<VisionTowerConfig, 'imageSize' | 'channels'>;
  /** Lends the task whose predictions are the logits, with the parameters that run. */
  lend<Result>(use: (task: Task, params: TensorTree) => Promise<Result>): Promise<Result>;
}

/**
 * Reads a model as one that tells pictures apart: a classifier by its classes, a dual encoder by texts.
 * @param texts For a dual encoder, separated by |.
 * @throws {UserError} for other models, for texts that are missing, cannot be told apart or have no use.
 */
export async function predictorOf(opened: OpenedModel, texts: string | undefined): Promise<Predictor> {
  const { kind } = asDense(opened);
  switch (kind) {
    case visionTransformerFamily.kind:
      if (texts === undefined) return classifier(opened);
      throw new UserError('--texts has no use for a classifier, which has classes of its own: leave it out');
    case dualEncoderFamily.kind:
      if (texts !== undefined) return classifierByTexts(opened, textsIn(texts));
      throw new UserError(
        'a dual encoder has no classes of its own: say with --texts "a cat|a dog" what to tell apart',
      );
    case uniterFamily.kind:
    case lxmertFamily.kind:
      throw new UserError(
        `a ${kind} reads regions, whose boxes a picture file does not say: evaluate it on data that do`,
      );
    default:
      throw new UserError(`expected a classifier or a dual encoder, got a ${kind}`);
  }
}

function classifier(opened: OpenedModel): Predictor {
  const dense = asDense(opened);
  if (!visionTransformerFamily.holds(dense))
    throw new UserError(`predict: expected a vision transformer, got a ${dense.kind}`);
  const { imageSize, channels, classes } = dense.model.config;
  const { model, params, classNames } = opened;
  return {
    by: 'classes',
    exclusion: 'exclusive',
    names: classNames ?? Array.from({ length: classes }, (_, place) => String(place)),
    notes:
      classNames === undefined
        ? ['the model does not name its classes: they are numbers from 0, in the order of its logits']
        : [],
    vision: { imageSize, channels },
    lend: (use) =>
      lendRunning(model, params, (running, own) =>
        use(classification(running, { inputs: pictureInputs({ imageSize, channels }), classes }), own),
      ),
  };
}

async function classifierByTexts(opened: OpenedModel, texts: readonly string[]): Promise<Predictor> {
  const { model, params, tokenizer } = await readerOfTexts(opened, '--texts');
  const { vision, text, loss } = model.config;
  const { imageSize, channels } = vision;
  return {
    by: 'texts',
    exclusion: loss === 'sigmoid' ? 'independent' : 'exclusive',
    names: texts,
    notes: [
      ...(loss === 'sigmoid'
        ? ['the model tells for each text by itself how likely it fits: probabilities do not add up to 1']
        : []),
      ...checkTexts(tokenizer, texts, text.context),
    ],
    vision: { imageSize, channels },
    lend: async (use) => {
      const encoded = encodeAll(tokenizer, texts, text.context, textFilling(text));
      const { params: own, ...reader } = zeroShot(model, params, { ...encoded, perClass: 1 });
      const inputs = pictureInputs({ imageSize, channels });
      try {
        return await use(classification(reader, { inputs, classes: texts.length }), own);
      } finally {
        disposeTree(own);
      }
    },
  };
}
