import { type Judged, runCounts } from './words';

const LONGEST = 4;
const [TINY, SMALL] = [1e-15, 1e-9];

/**
 * BLEU@1 to 4 of a corpus (Papineni et al., 2002), from 0 to 1, as coco-caption's `bleu_scorer.py` computes it: clipped counts over guessed
 * ones, their geometric mean, and a penalty where the texts are shorter than the references that are closest in length, of equally
 * close ones the shorter.
 * @throws {RangeError} for nothing to judge, or a text without references.
 */
export function bleu(judged: readonly Judged[]): readonly [number, number, number, number] {
  if (judged.length === 0) throw new RangeError('expected texts to judge, got none');
  const right = Array<number>(LONGEST).fill(0);
  const guessed = Array<number>(LONGEST).fill(0);
  let [length, aimed] = [0, 0];
  for (const { candidate, references } of judged) {
    length += candidate.length;
    aimed += closest(references, candidate.length);
    const allowed = references.map((reference) => runCounts(reference, LONGEST));
    runCounts(candidate, LONGEST).forEach((counts, n) => {
      guessed[n] = (guessed[n] ?? 0) + Math.max(0, candidate.length - n);
      for (const [run, count] of counts) {
        const most = Math.max(...allowed.map((own) => own[n]?.get(run) ?? 0));
        right[n] = (right[n] ?? 0) + Math.min(count, most);
      }
    });
  }
  const ratio = (length + TINY) / (aimed + SMALL);
  const penalty = ratio < 1 ? Math.exp(1 - 1 / ratio) : 1;
  const shares = right.map((count, n) => (count + TINY) / ((guessed[n] ?? 0) + SMALL));
  const upTo = (n: number): number =>
    penalty * shares.slice(0, n).reduce((product, share) => product * share, 1) ** (1 / n);
  return [upTo(1), upTo(2), upTo(3), upTo(4)];
}

function closest(references: readonly (readonly string[])[], length: number): number {
  const [first, ...rest] = references.map((reference) => reference.length).sort((one, other) => one - other);
  if (first === undefined) throw new RangeError('expected references of every text');
  return rest.reduce((best, own) => (Math.abs(own - length) < Math.abs(best - length) ? own : best), first);
}
