import type { BudgetUnit } from '@winnow/core';
import { type Other, type Recommendation, largestBatch, timesFaster, timesSmaller } from './recommendation';
import type { Spread } from './statistics';
import type { DenseRow, Row } from './table';

/** A recommendation for somebody who has read no paper. */
export interface RecommendationWords {
  /** The model to take, with its score and costs. */
  readonly advice: string;
  /** Why, a sentence or two each. */
  readonly reasons: readonly string[];
}

/** So many names are listed; of more, their number is said. */
const MOST_NAMES = 4;

/**
 * Says a recommendation in plain words.
 * @param confidence Level of the intervals, such as 0.95.
 */
export function wordsOf(
  recommendation: Recommendation,
  { confidence, budgetUnit }: { readonly confidence: number; readonly budgetUnit: BudgetUnit },
): RecommendationWords {
  const { row, dense, budget, metric } = recommendation;
  const take = row.startsAnew ? 'train a small one from scratch' : `take ${quoted(row.label)}`;
  return {
    advice: `${aimOf(budget, budgetUnit)}, ${take}: ${outcomeWords(row, dense, metric)}.`,
    reasons: [...evidenceWords(recommendation, confidence), ...scratchWords(recommendation, confidence)],
  };
}

/** Says how a model compares with the one that it was made from: score, size and speed. */
export function outcomeWords(row: Row, dense: DenseRow | undefined, metric: string): string {
  const against = dense === undefined ? '' : ` against ${dense.score.mean.toFixed(1)} of the full model`;
  const gains = dense === undefined ? [] : gainsOf(row, dense);
  return [`${scoreText(metric, row.score)}${against}`, ...gains].join(', ');
}

const forms: readonly { readonly pattern: RegExp; keep(amount: number): number }[] = [
  { pattern: /^(\d+(?:\.\d+)?)x$/, keep: (times) => 1 / times },
  { pattern: /^(\d+(?:\.\d+)?)%$/, keep: (percent) => percent / 100 },
  { pattern: /^(\d*\.?\d+)$/, keep: (share) => share },
];
const parts: Readonly<Record<number, string>> = {
  3: 'a third',
  4: 'a quarter',
  5: 'a fifth',
  8: 'an eighth',
  10: 'a tenth',
};

/** The aim of a budget as people write it, at the beginning of a sentence. */
function aimOf(budget: string, unit: BudgetUnit): string {
  const whole = unit === 'macs' ? "the model's work" : 'the model';
  const keep = forms.flatMap(({ pattern, keep }) => {
    const amount = pattern.exec(budget)?.[1];
    return amount === undefined ? [] : [keep(Number(amount))];
  })[0];
  if (keep === undefined || !(keep > 0 && keep <= 1)) return `For the size ${budget}`;
  const times = Math.round(1 / keep);
  const isWhole = Math.abs(1 / keep - times) < 1e-6;
  if (isWhole && times === 2) return `To halve ${whole} (2×)`;
  const part = isWhole ? parts[times] : undefined;
  if (part !== undefined) return `To bring ${whole} down to ${part} (${times}×)`;
  return isWhole
    ? `To make ${whole} ${times} times smaller`
    : `To keep ${Number((100 * keep).toFixed(1))} % of ${whole}`;
}

/** Scores of known names in words; others are called by their name. */
const meanings: Readonly<Record<string, string>> = { top1: '% right', meanR: '% found' };

const scoreText = (metric: string, score: Spread): string =>
  `${spreadText(score)} ${meanings[metric] ?? metric}`;

const spreadText = ({ mean, deviation }: Spread): string =>
  deviation === null ? mean.toFixed(1) : `${mean.toFixed(1)} ± ${deviation.toFixed(1)}`;

/** Speeds that are apart by less are the same. */
const SAME_SPEED = 1.05;

function gainsOf(row: Row, dense: DenseRow): string[] {
  const smaller = `a file ${timesSmaller(row, dense).toFixed(1)}× smaller`;
  const batchSize = largestBatch(row)?.batchSize;
  const faster = batchSize === undefined ? undefined : timesFaster(row, dense, batchSize);
  if (batchSize === undefined || faster === undefined) return [smaller];
  const atOnce = batchSize === 1 ? 'one picture at a time' : `${batchSize} pictures at a time`;
  if (faster >= SAME_SPEED) return [smaller, `${faster.toFixed(1)}× faster (${atOnce})`];
  return [
    smaller,
    faster > 1 / SAME_SPEED ? 'no faster' : `slower: ${faster.toFixed(1)}× the speed (${atOnce})`,
  ];
}

function evidenceWords(recommendation: Recommendation, confidence: number): string[] {
  const { evidence, row, tied, next, preference, bestMade } = recommendation;
  const yardstick =
    row.isControl && !row.startsAnew && evidence !== 'alone'
      ? [`${quoted(row.label)} is only there as a yardstick: here no method does better.`]
      : [];
  // That one has a sentence of its own.
  const behind = next === undefined || next.row === bestMade?.row ? [] : [behindText(next, confidence)];
  // The small model from scratch has a sentence of its own.
  const equal = tied.filter(({ row }) => !row.startsAnew);
  switch (evidence) {
    case 'alone':
      return ['Nothing else of this size was tried.'];
    case 'few seeds': {
      const count = row.score.seeds === 1 ? 'one repetition' : `${row.score.seeds} repetitions`;
      const others = equal.length === 0 ? '' : `: ${namesOf(equal, true)} may be as good`;
      return [...yardstick, `With ${count} nothing is certain${others}.`];
    }
    case 'decided':
      return [...yardstick, 'It is better than all others of this size beyond doubt.', ...behind];
    case 'tied': {
      if (equal.length === 0) return [...yardstick, ...behind];
      const choice =
        preference === 'cost' ? 'Of these it is the fastest.' : 'On average it is the best of them.';
      return [
        ...yardstick,
        `It cannot be told apart from ${namesOf(equal, false)}: over ${row.score.seeds} repetitions the differences are within chance. ${choice}`,
        ...behind,
      ];
    }
    default:
      return evidence satisfies never;
  }
}

/** The best that is worse beyond doubt, with how far it is behind. */
const behindText = ({ row, difference }: Other, confidence: number): string =>
  `The best that it beats, ${quoted(row.label)}, is ${apart(difference, confidence)} behind.`;

function apart(difference: Other['difference'], confidence: number): string {
  if (difference === undefined) return 'an unknown number of points';
  const { mean, interval } = difference;
  const sure =
    interval === null
      ? ''
      : ` (${interval[0].toFixed(1)} to ${interval[1].toFixed(1)}, ${Number((100 * confidence).toFixed(1))} % sure)`;
  return `${mean.toFixed(1)} points${sure}`;
}

function scratchWords({ fromScratch, bestMade, metric }: Recommendation, confidence: number): string[] {
  if (fromScratch !== undefined) {
    const { row, difference, verdict } = fromScratch;
    const reached = `A small model from scratch, trained for as long as all of this together, comes to ${scoreText(metric, row.score)}`;
    return verdict > 0
      ? [`${reached}: making the trained model smaller is worth ${apart(difference, confidence)}.`]
      : [`${reached}, which may be as good.`];
  }
  if (bestMade === undefined) return [];
  const { row, difference, verdict } = bestMade;
  return verdict > 0
    ? [
        `Making the trained model smaller does not pay here: the best way, ${quoted(row.label)}, is ${apart(difference, confidence)} behind.`,
      ]
    : [
        `The best way of making the trained model smaller, ${quoted(row.label)}, comes to ${scoreText(metric, row.score)}.`,
      ];
}

/** A name in a sentence: one of several words stands out as one. */
const quoted = (label: string): string => (/[\s,]/.test(label) ? `“${label}”` : label);

function namesOf(others: readonly Other[], withScores: boolean): string {
  const listed = others
    .slice(0, MOST_NAMES)
    .map(({ row: { label, score } }) =>
      withScores ? `${quoted(label)} (${score.mean.toFixed(1)})` : quoted(label),
    );
  const more = others.length - listed.length;
  const all = [...listed, ...(more === 0 ? [] : [more === 1 ? 'another one' : `${more} others`])];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.slice(-1).join('')}`;
}
