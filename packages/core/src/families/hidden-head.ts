import { type Tensor1D, type Tensor2D, type Tensor3D, add, mul, reshape, sub } from '@tensorflow/tfjs-core';
import { placed } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import type { Observe } from '../layers/observe';
import { type AnswerHeadParams, answerHead } from './answer-head';
import type { BertTextConfig } from './bert-words';
import { type HiddenParams, guessed, hiddenLayer } from './hidden-words';
import type { Logits } from './prediction';
import type { RegionSizes } from './region-embedding';
import type { PreTrainingHead } from './region-head';
import type { RegionInputs } from './region-inputs';

/** The heads of a model of words and regions for its pre-training. */
export type HiddenHeadParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  matching?: LinearParams<Matrix, Vector>; // [D, 2]
  hidden?: HiddenParams<Matrix, Vector>;
  hiddenRegions?: HiddenParams<Matrix, Vector>;
  /** Classes of hidden regions. */
  hiddenClasses?: AnswerHeadParams<Matrix, Vector>;
};

export const hiddenHeadKeys = ['matching', 'hidden', 'hiddenRegions', 'hiddenClasses'] as const;

interface Sizes {
  /** D */
  readonly embedDim: number;
  readonly normEpsilon: number;
  readonly text: Pick<BertTextConfig, 'context' | 'vocabulary'>;
  readonly regions: RegionSizes & { readonly count: number };
}

/** States that are read: of the first word, of all words, of all regions. */
interface ReadStates {
  readonly pooled: Tensor2D; // [B, D]
  readonly told: Tensor3D; // [B, T, D]
  readonly seen: Tensor3D; // [B, R, D]
}

/**
 * The heads of a pre-training on words and regions (Chen et al., 2020, UNITER, Section 3.2; Tan and Bansal, 2019, LXMERT, Section 3.1):
 * whether both belong together; which words and which features are hidden, by the matrices of their embeddings; if asked for, which answer a
 * question has (LXMERT's, whose head is that of its fine-tuning, `answer_head`), and of which class hidden regions are (`RegionClassification`: D → D, GELU, a norm, → C). LXMERT's code finds features again by a matrix of its own.
 */
export function hiddenHead(
  { classes, answers }: PreTrainingHead,
  { embedDim: D, normEpsilon, text, regions }: Sizes,
) {
  const used = (tokens: number) => ({ uses: [{ tokens }] });
  const telling = classes === undefined ? undefined : answerHead({ read: D, inner: D, answers: classes });
  const answering = answers === undefined ? undefined : answerHead({ read: D, inner: 2 * D, answers });
  return {
    parts: {
      matching: placed(used(1), linearLayer(D, 2)),
      hidden: placed(used(text.context), hiddenLayer(D, text.vocabulary, normEpsilon)),
      hiddenRegions: placed(used(regions.count), hiddenLayer(D, regions.features, normEpsilon)),
      ...(telling === undefined ? {} : { hiddenClasses: placed(used(regions.count), telling.layer) }),
      ...(answering === undefined ? {} : { head: placed(used(1), answering.layer) }),
    },
    /**
     * `logits` [B, 2], `words` [B·T, V], `regions` [B·R, F], `classes` [B·R, C] and `answers` [B, A] if asked for, and the states.
     * @param words Of the embedding, [V, D]. @param features What features are projected by, [F, D].
     */
    run: (
      {
        heads,
        words,
        features,
      }: {
        readonly heads: HiddenHeadParams & { head?: AnswerHeadParams };
        readonly words: Tensor2D;
        readonly features: Tensor2D;
      },
      { pooled, told, seen }: ReadStates,
      observe: Observe | undefined,
    ): Logits => {
      const { matching, hidden, hiddenRegions, hiddenClasses, head } = heads;
      if (matching === undefined || hidden === undefined || hiddenRegions === undefined)
        throw new RangeError('expected the parameters of its heads');
      const flat = (part: Tensor3D): Tensor2D => reshape(part, [part.shape[0] * part.shape[1], D]);
      const shown = flat(seen);
      return {
        logits: project(pooled, matching, 'matching', observe),
        words: guessed(hidden, flat(told), words, { normEpsilon, observe, key: 'hidden' }),
        regions: guessed(hiddenRegions, shown, features, { normEpsilon, observe, key: 'hiddenRegions' }),
        ...(telling === undefined || hiddenClasses === undefined
          ? {}
          : { classes: telling.run(hiddenClasses, shown, observe, 'hiddenClasses') }),
        ...(answering === undefined || head === undefined
          ? {}
          : { answers: answering.run(head, pooled, observe) }),
        told,
        seen,
      };
    },
  };
}

/** Features of which some are hidden: zeros, or a vector that is learned, stand in their place. */
export function withHidden({ features, hidden }: RegionInputs, mask: Tensor2D | undefined): Tensor3D {
  if (hidden === undefined) return features;
  const [batch, count, F] = features.shape;
  const away: Tensor3D = reshape(hidden, [batch, count, 1]);
  const left = mul<Tensor3D>(features, sub(1, away));
  return mask === undefined ? left : add(left, mul(away, reshape(mask, [1, 1, F])));
}
