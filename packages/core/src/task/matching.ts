import {
  type Scalar,
  type Tensor2D,
  add,
  oneHot,
  reshape,
  slice,
  softmax,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { PairBatch } from '../data/dataset';
import { UserError } from '../error/user-error';
import type { Blip, BlipPasses } from '../families/blip';
import type { BlipParams } from '../families/blip-parts';
import { memoryOfEach } from '../families/memory-rows';
import { checkTextEnds } from '../families/text-tower-config';
import type { Memory } from '../layers/cross-block';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { downloadTree } from '../tree/host';
import { disposeTree, tidyTree } from '../tree/tree';
import { placesOf } from './captions';
import { hardNegatives } from './hard-negatives';
import { type PictureShape, pictureInputs, tokenInputs } from './inputs';
import { symmetricDivergence } from './logits';
import { type MatchingMemory, type MomentumOptions, type Queued, matchingMemory } from './matching-memory';
import { type Compared, matchingScorer } from './matching-scorer';
import { GREATEST_LOG_SCALE, allAgainstAll } from './retrieval';
import type { Task } from './task';
import { textsOf, textsTogether } from './text-rows';

export interface MatchingOptions extends PictureShape {
  /** The number of each query's closest ones, by embeddings, that are read together with it. */
  readonly candidates?: number;
  /** Learns against a queue by momentum distillation; without it against the batch. */
  readonly momentum?: MomentumOptions;
}

/** A model's answer to a batch: similarities, embeddings, and whether pairs match. */
export interface Matched {
  readonly logits: Tensor2D; // [B, M]
  readonly images: Tensor2D; // [B, P]
  readonly texts: Tensor2D; // [M, P]
  /** Logits of not matching and of matching: of all pairs, then of all texts with another picture, then of their pictures with another text. */
  readonly matches: Tensor2D; // [3·M, 2], or [M, 2] where all is of one group
  readonly [name: string]: Tensor2D;
}

/** BLIP takes 256 of COCO's 5,000 and 128 of Flickr30k's 1,000. */
const MATCHING_CANDIDATES = 16;

/**
 * Retrieval by embeddings, and by reading texts about pictures (Li et al., 2022, BLIP): the contrastive loss over a batch, plus the
 * cross-entropy of matching, for which hard negatives are drawn by their similarity. Scores are recalls as of `retrieval`, of which the
 * closest by embeddings are ranked by cosine plus matching logit.
 * With `momentum` the contrastive loss is that of {@link matchingMemory}; without it targets are those of BLIP's `alpha` 0, and there is no
 * queue. What is drawn goes by the examples of a batch.
 * Its batches fail with a RangeError for a text without its end.
 * @throws {UserError} for a model whose tokens merge.
 */
export function matching(
  { config, passes }: Pick<Blip, 'config' | 'passes'>,
  { candidates = MATCHING_CANDIDATES, momentum, ...shape }: MatchingOptions,
): Task<BlipParams, PairBatch, Matched, Compared> {
  if (config.vision.merging !== undefined)
    throw new UserError('matching keeps the tokens of all pictures: it has no words for tokens that merge');
  const picturesOf = pictureInputs(shape);
  const { end } = config.tokens;
  const ofPairs = ({ matches }: Matched, { texts }: PairBatch): Tensor2D =>
    slice(matches, [0, 0], [texts, 2]);
  const plain: Task<BlipParams, PairBatch, Matched, Compared> = {
    name: 'matching',
    metric: 'meanR',
    ...(config.embeddings?.temperature === undefined
      ? {}
      : { limits: { 'embeddings.logitScale': GREATEST_LOG_SCALE } }),
    predict: (params, batch, hooks) => {
      const { tokens, texts, imageGroups, textGroups } = batch;
      const length = tokens.length / texts;
      checkTextEnds(tokens, length, end);
      const seen = passes.see(params, picturesOf(batch).images, hooks);
      const compared = passes.compare(params, seen, tokenInputs(batch).tokens, hooks);
      const own = placesOf(imageGroups, textGroups);
      const drawn = hardNegatives(compared.logits.dataSync<'float32'>(), { imageGroups, textGroups });
      const all = [...own.keys()];
      const read = drawn === undefined ? all : [...all, ...all, ...drawn.texts];
      const about = drawn === undefined ? [...own] : [...own, ...drawn.pictures, ...own];
      const words = Int32Array.from(
        read.flatMap((text) => [...tokens.subarray(text * length, (text + 1) * length)]),
      );
      const memory = memoryOfEach(seen, Int32Array.from(about));
      const matches = passes.match(params, tensor2d(words, [read.length, length], 'int32'), memory, hooks);
      return { ...compared, matches };
    },
    loss: (prediction, batch) =>
      add<Scalar>(allAgainstAll.loss(prediction, batch), matchLoss(prediction, batch)),
    divergence: (one, other, batch) =>
      add<Scalar>(
        allAgainstAll.divergence(one, other, batch),
        symmetricDivergence(ofPairs(one, batch), ofPairs(other, batch)),
      ),
    distillation: (student, teacher, batch) =>
      add<Scalar>(
        softmaxCrossEntropy(student.logits, softmax(teacher.logits)),
        softmaxCrossEntropy(ofPairs(student, batch), softmax(ofPairs(teacher, batch))),
      ),
    answer: (params, batch) =>
      embedded(passes, params, batch, () => passes.see(params, picturesOf(batch).images)),
    scorer: () => matchingScorer(candidates),
  };
  if (momentum === undefined) return plain;
  const kept = matchingMemory({ config, passes }, shape, momentum);
  return {
    ...plain,
    memory: {
      init: kept.init,
      update: kept.update,
      recall: (memory: MatchingMemory) => ({
        predict: (params, batch, hooks) => {
          const matched = plain.predict(params, batch, hooks);
          return { ...matched, ...kept.compare(memory, params, matched, batch) };
        },
        loss: (prediction, batch) =>
          add<Scalar>(kept.loss(queuedIn(prediction)), matchLoss(prediction, batch)),
      }),
    },
  };
}

/** @throws {RangeError} where nothing was compared with a queue. */
function queuedIn({ toTexts, toImages, wantedTexts, wantedImages }: Matched): Queued {
  if (
    toTexts === undefined ||
    toImages === undefined ||
    wantedTexts === undefined ||
    wantedImages === undefined
  )
    throw new RangeError('expected similarities to a queue');
  return { toTexts, toImages, wantedTexts, wantedImages };
}

const matchLoss = ({ matches }: Matched, { texts }: PairBatch): Scalar =>
  softmaxCrossEntropy(matches, matchTargets(matches.shape[0], texts));

/** Targets of rows of which the first `pairs` match and the others do not, [rows, 2]. */
function matchTargets(rows: number, pairs: number): Tensor2D {
  const classes = Int32Array.from({ length: rows }, (_, row) => (row < pairs ? 1 : 0));
  return reshape(oneHot(tensor1d(classes, 'int32'), 2), [rows, 2]);
}

/** The two sides of a batch as they are scored. */
async function embedded(
  passes: Pick<BlipPasses, 'compare' | 'match'>,
  params: BlipParams,
  { tokens, texts, size }: PairBatch,
  see: () => Memory,
): Promise<Compared> {
  const said = () => tokenInputs({ tokens, texts }).tokens;
  const made = tidyTree(() => {
    const seen = see();
    const { images, texts: read } = passes.compare(params, seen, said());
    return { images, texts: read, states: seen.states };
  });
  try {
    const host = await downloadTree(made);
    const rowsOf = (name: string, count: number): Float32Array[] => {
      const { values } = host.get(name) ?? { values: new Float32Array() };
      const each = values.length / count;
      return Array.from({ length: count }, (_, row) =>
        Float32Array.from(values.subarray(row * each, (row + 1) * each)),
      );
    };
    const width = made.states.shape[1];
    return {
      images: rowsOf('images', size),
      seen: rowsOf('states', size),
      texts: rowsOf('texts', texts),
      tokens: textsOf({ tokens, texts }),
      match: (seen, read) => matchesOf(passes, params, { seen, read, width }),
    };
  } finally {
    disposeTree(made);
  }
}

/** Logits of matching, pair by pair. Texts may differ in length: they are filled up with what ends them. */
async function matchesOf(
  { match }: Pick<BlipPasses, 'match'>,
  params: BlipParams,
  {
    seen,
    read,
    width,
  }: { readonly seen: readonly Float32Array[]; readonly read: readonly Int32Array[]; readonly width: number },
): Promise<Float32Array> {
  const words = textsTogether(read);
  const [first] = seen;
  // Where all are about one picture, it is looked at once.
  const shown = seen.every((own) => own === first) ? seen.slice(0, 1) : seen;
  const each = (first?.length ?? 0) / width;
  const states = new Float32Array(shown.length * each * width);
  shown.forEach((own, row) => {
    states.set(own, row * each * width);
  });
  const logits = tidy(() => {
    const memory = { states: tensor2d(states, [shown.length * each, width]), tokens: each };
    const both = match(params, tokenInputs(words).tokens, memory);
    return reshape(slice(both, [0, 1], [read.length, 1]), [read.length]);
  });
  const values = await logits.data<'float32'>();
  logits.dispose();
  return Float32Array.from(values);
}
