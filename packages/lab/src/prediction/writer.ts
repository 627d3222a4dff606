import {
  type AnyDenseModel,
  type BlipPurpose,
  type Guess,
  type HostPrediction,
  InterruptedError,
  type Scorer,
  type StatementBatch,
  UserError,
  type ViltConfig,
  type VisionTowerConfig,
  asDense,
  blip,
  blipFamily,
  captionWriting,
  denseConfigOf,
  entailment,
  evaluate,
  evaluationBatches,
  lendRunning,
  likeliest,
  statements,
  viltFamily,
  writeAbout,
} from '@winnow/core';
import {
  type BrokenPicture,
  type PictureBatch,
  type Tokenizer,
  encodeAll,
  entailmentLabels,
  unlabelledPictures,
} from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import type { OpenedModel } from '../model-source/open-model';
import { saidBy } from '../workload/said-by';
import { checkChannels, checkTokens } from '../workload/fit';
import { picturesOf } from '../workload/prepared';
import type { Asked, PicturePrediction, WrittenKind } from './predictions';
import { checkTexts } from './texts';

/** The question about pictures. */
export interface Asking {
  readonly texts: string | undefined;
  readonly question: string | undefined;
  readonly statement: string | undefined;
}

/** A model that says something of pictures: one by one, or two by two. */
export interface Writer {
  readonly by: WrittenKind;
  /** Notes for a person, a line each. */
  readonly notes: readonly string[];
  /** Pictures that it looks at together. */
  readonly together: 1 | 2;
  /** The pictures that it takes. */
  readonly vision: Pick<VisionTowerConfig, 'imageSize' | 'channels'>;
  /** Whatever the model that runs says of each picture, or of each two, the likeliest first. */
  say(running: AnyDenseModel, batch: PictureBatch): Promise<readonly (readonly Guess[])[]>;
}

/** As in BLIP's code. */
const answerWriting = { beams: 3, shortest: 1, longest: 10 };
const judgements = ['false', 'true'];

/**
 * Reads a model as one that writes about pictures, or judges statements about them.
 * @returns nothing for a model of another family.
 * @throws {UserError} where what is asked does not suit the model, or its tokenizer is missing.
 */
export async function writerOf(opened: OpenedModel, asking: Asking): Promise<Writer | undefined> {
  const config = denseConfigOf(asDense(opened).model);
  if (viltFamily.is(config) && config.head.kind === 'statements') {
    checkAsked('vilt', config.head.kind, asking);
    const tokenizer = await givenTokenizer(opened, 'predict');
    const { vision, text } = config;
    checkTokens(text, tokenizer);
    return judge(tokenizer, asking.statement ?? '', { vision, context: text.context, about: 'pairs' });
  }
  if (viltFamily.is(config) && tellsEntailment(config, opened.classNames)) {
    if (asking.texts !== undefined || asking.question !== undefined || asking.statement === undefined)
      throw new UserError('a vilt for entailment needs --statement "…", and nothing else to say');
    const tokenizer = await givenTokenizer(opened, 'predict');
    const { vision, text } = config;
    checkTokens(text, tokenizer);
    return judge(tokenizer, asking.statement, { vision, context: text.context, about: 'pictures' });
  }
  if (!blipFamily.is(config)) {
    const flag = asking.question === undefined ? 'statement' : 'question';
    if (asking.question !== undefined || asking.statement !== undefined)
      throw new UserError(
        `--${flag} is for a blip${flag === 'statement' ? ', or a vilt for statements or entailment' : ''}, and this model is a ${config.kind}: leave it out`,
      );
    return undefined;
  }
  checkAsked('blip', config.purpose, asking);
  const tokenizer = await givenTokenizer(opened, 'predict');
  const { purpose, encoder, decoder, vision, tokens } = config;
  const stack = encoder ?? decoder;
  if (stack !== undefined) checkTokens({ vocabulary: stack.vocabulary, endToken: tokens.end }, tokenizer);
  const { imageSize, channels } = vision;
  const asked = asking.question ?? asking.statement ?? '';
  const encoded = encodeAll(tokenizer, [asked], encoder?.positions ?? 2).tokens;
  const notes = asked === '' ? [] : checkTexts(tokenizer, [asked], encoder?.positions ?? 2);
  const model = blip(config);
  switch (purpose) {
    case 'captions':
    case 'questions': {
      const say = saidBy(tokenizer);
      const isAsked = purpose === 'questions';
      return {
        by: isAsked ? 'answers' : 'captions',
        notes,
        together: 1,
        vision,
        say: async (running, batch) => {
          if (!blipFamily.holds(running)) throw new RangeError(`expected a blip, got a ${running.kind}`);
          const found = await writeAbout(model, running.params, batch, {
            ...{ imageSize, channels, writing: isAsked ? answerWriting : captionWriting },
            ...(isAsked ? { question: encoded } : {}),
          });
          return found.map((texts) =>
            texts.map(({ words, probability }, index) => ({ name: say(words), index, probability })),
          );
        },
      };
    }
    case 'statements':
      return judge(tokenizer, asked, { vision, context: encoder?.positions ?? 2, about: 'pairs' });
    case 'retrieval':
      throw new UserError(
        'predict: a blip for retrieval compares pictures and texts: evaluate it, or train one for captions',
      );
    default:
      return purpose satisfies never;
  }
}

/** Whether a model's answers are those about entailment, by their names. */
const tellsEntailment = ({ head }: ViltConfig, classNames: readonly string[] | undefined): boolean =>
  head.kind === 'answers' &&
  classNames?.length === entailmentLabels.length &&
  entailmentLabels.every((label, index) => label === classNames[index]);

/** A model that judges a statement about each two pictures, or about each by itself. */
function judge(
  tokenizer: Tokenizer,
  statement: string,
  {
    vision,
    context,
    about,
  }: {
    readonly vision: Pick<VisionTowerConfig, 'imageSize' | 'channels'>;
    readonly context: number;
    readonly about: 'pairs' | 'pictures';
  },
): Writer {
  const { tokens } = encodeAll(tokenizer, [statement], context);
  const together = about === 'pairs' ? 2 : 1;
  const names = about === 'pairs' ? judgements : entailmentLabels;
  return {
    by: 'judgement',
    notes: checkTexts(tokenizer, [statement], context),
    together,
    vision,
    say: async ({ model, params }, { images, size }) => {
      const guesses: (readonly Guess[])[] = [];
      const count = size / together;
      const batch: StatementBatch = {
        ...{ size: count, images, texts: count, labels: new Int32Array(count) },
        tokens: Int32Array.from(
          { length: count * tokens.length },
          (_, place) => tokens[place % tokens.length] ?? tokenizer.endToken,
        ),
      };
      const scorer = (): Scorer<HostPrediction, StatementBatch> => ({
        add: ({ logits }) => {
          for (let row = 0; row < count; row++) {
            const [from, to] = [names.length * row, names.length * (row + 1)];
            const own = Float32Array.from(logits?.values.subarray(from, to) ?? []);
            guesses.push(likeliest(own, names, names.length));
          }
        },
        scores: () => ({}),
      });
      const { imageSize, channels } = vision;
      const task =
        about === 'pairs'
          ? statements(model, { imageSize, channels })
          : entailment(model, { imageSize, channels, classes: names });
      await evaluate({ ...task, scorer }, params, one(batch));
      return guesses;
    },
  };
}

async function* one<Batch>(batch: Batch): AsyncGenerator<Batch> {
  yield await Promise.resolve(batch);
}

/** @throws {UserError} where a text is missing, or has no use. */
function checkAsked(kind: string, purpose: BlipPurpose, { texts, question, statement }: Asking): void {
  const needed = {
    captions: undefined,
    questions: 'question',
    statements: 'statement',
    retrieval: undefined,
  };
  const given = new Map(Object.entries({ texts, question, statement }));
  const own = needed[purpose];
  for (const [flag, value] of given) {
    if (value !== undefined && flag !== own)
      throw new UserError(`--${flag} has no use for a ${kind} for ${purpose}: leave it out`);
  }
  if (own !== undefined && given.get(own) === undefined)
    throw new UserError(`a ${kind} for ${purpose} needs --${own} "…"`);
}

/**
 * Asks a model about pictures.
 * @throws {UserError} when pictures are to be looked at two by two, and their number is odd.
 */
export async function writtenAbout(
  paths: readonly string[],
  { preparation, model, params }: OpenedModel,
  { vision, together, say }: Writer,
  { top, batchSize, signal }: Asked,
): Promise<{
  readonly predictions: readonly PicturePrediction[];
  readonly broken: readonly BrokenPicture[];
}> {
  if (paths.length % together !== 0)
    throw new UserError(`predict: expected pictures in twos, left and right, got ${paths.length}`);
  const { imageSize } = vision;
  const pictures = unlabelledPictures(paths, { imageSize, ...picturesOf(preparation) });
  checkChannels(vision, { name: 'a picture file', channels: pictures.channels });
  const predictions: PicturePrediction[] = [];
  const broken: BrokenPicture[] = [];
  await lendRunning(model, params, async (running, own) => {
    const { kind } = denseConfigOf(running);
    // Two by two, a broken one leaves its other alone, and nothing else.
    for await (const batch of evaluationBatches(pictures.dataset, together === 2 ? 2 : batchSize)) {
      if (signal?.aborted === true) throw new InterruptedError();
      broken.push(...batch.broken);
      if (batch.size === 0 || batch.size % together !== 0) continue;
      const said = await say({ kind, model: running, params: own }, batch);
      said.forEach((best, place) => {
        if (best.some(({ probability }) => !Number.isFinite(probability)))
          throw new UserError(
            'predict: expected finite probabilities, and the model answers with numbers that are none',
          );
        const shown = batch.paths.slice(place * together, (place + 1) * together);
        predictions.push({ picture: shown.join(' + '), best: best.slice(0, top) });
      });
    }
  });
  return { predictions, broken };
}
