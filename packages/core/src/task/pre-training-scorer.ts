import type { HiddenBatch } from '../data/dataset';
import type { HostPrediction, Scorer } from './task';

/** Finds what a batch asks for, by the places in its flat arrays. */
export function askedOf({ matches, hiddenWords, hiddenRegions, hiddenClasses, answers }: HiddenBatch) {
  const where = (values: ArrayLike<number>, isAsked: (value: number) => boolean): number[] =>
    Array.from(values).flatMap((value, place) => (isAsked(value) ? [place] : []));
  return {
    matches: where(matches, (value) => value >= 0),
    words: where(hiddenWords, (value) => value >= 0),
    regions: where(hiddenRegions, (value) => value > 0).filter((place) => (hiddenClasses?.[place] ?? -1) < 0),
    classes: where(hiddenClasses ?? [], (value) => value >= 0),
    answers: where(answers ?? [], (value) => value >= 0),
  };
}

/** The features of some regions of a batch, by their places among all of them, [M, F]. */
export function featuresAt({ regions }: HiddenBatch, places: readonly number[], F: number): Float32Array {
  const found = new Float32Array(places.length * F);
  places.forEach((place, row) => {
    found.set(regions.features.subarray(place * F, (place + 1) * F), row * F);
  });
  return found;
}

/**
 * In percent: hidden words and belongings that are right, the share of the variance of hidden regions' features that is found again, and
 * classes and answers that are right, of a model that tells them.
 */
export function preTrainingScorer(F: number): Scorer<HostPrediction, HiddenBatch> {
  const words = { right: 0, asked: 0 };
  const matching = { right: 0, asked: 0 };
  const classes = { right: 0, asked: 0 };
  const answers = { right: 0, asked: 0 };
  let [tellsClasses, tellsAnswers] = [false, false];
  const error = { squares: 0, asked: 0 };
  const [sums, squares] = [new Float64Array(F), new Float64Array(F)];
  const count = (what: typeof words, logits: Float32Array, truth: readonly number[]): void => {
    const classes = logits.length / Math.max(1, truth.length);
    truth.forEach((right, row) => {
      const own = logits.subarray(row * classes, (row + 1) * classes);
      const found = own[right] ?? Number.NaN;
      what.right += own.every((logit, index) => index === right || logit < found) ? 1 : 0;
      what.asked += 1;
    });
  };
  return {
    add: (prediction, batch) => {
      const asked = askedOf(batch);
      count(
        matching,
        valuesIn(prediction, 'matches'),
        asked.matches.map((example) => batch.matches[example] ?? 0),
      );
      count(
        words,
        valuesIn(prediction, 'words'),
        asked.words.map((place) => batch.hiddenWords[place] ?? 0),
      );
      if (prediction['classes'] !== undefined) {
        tellsClasses = true;
        count(
          classes,
          valuesIn(prediction, 'classes'),
          asked.classes.map((place) => batch.hiddenClasses?.[place] ?? 0),
        );
      }
      if (prediction['answers'] !== undefined) {
        tellsAnswers = true;
        count(
          answers,
          valuesIn(prediction, 'answers'),
          asked.answers.map((example) => batch.answers?.[example] ?? 0),
        );
      }
      const truth = featuresAt(batch, asked.regions, F);
      const found = valuesIn(prediction, 'regions');
      truth.forEach((value, at) => {
        error.squares += (value - (found[at] ?? Number.NaN)) ** 2;
        sums[at % F] = (sums[at % F] ?? 0) + value;
        squares[at % F] = (squares[at % F] ?? 0) + value ** 2;
      });
      error.asked += asked.regions.length;
    },
    scores: () => {
      const spread = sums.reduce(
        (all, sum, at) => all + (squares[at] ?? 0) - sum ** 2 / Math.max(1, error.asked),
        0,
      );
      return {
        words: share(words),
        matching: share(matching),
        regions: spread > 0 ? 100 * (1 - error.squares / spread) : 0,
        ...(tellsClasses ? { classes: share(classes) } : {}),
        ...(tellsAnswers ? { answers: share(answers) } : {}),
      };
    },
  };
}

/** In percent; 0 of nothing. */
const share = ({ right, asked }: { readonly right: number; readonly asked: number }): number =>
  (100 * right) / Math.max(1, asked);

function valuesIn(prediction: HostPrediction, name: string): Float32Array {
  const found = prediction[name];
  if (found?.dtype !== 'float32') throw new TypeError(`pre-training: no ${name} were predicted`);
  return found.values;
}
