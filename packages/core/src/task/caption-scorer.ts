import type { PairBatch } from '../data/dataset';
import { bleu } from '../writing/bleu';
import { ciderD } from '../writing/cider';
import { type Judged, wordsOf } from '../writing/words';
import type { Scorer, Scores } from './task';

export interface CaptionScoring {
  /** Ends each text. */
  readonly end: number;
  readonly say: (tokens: readonly number[]) => string;
  readonly statementsOf?: ((text: string) => readonly string[]) | undefined;
}

/** Compares what was written about pictures with all texts of their groups. */
export function captionScorer({
  end,
  say,
  statementsOf,
}: CaptionScoring): Scorer<readonly (readonly number[])[], PairBatch> {
  const all: { readonly candidate: string; readonly references: readonly string[] }[] = [];
  return {
    add: (written, { tokens, texts, imageGroups, textGroups }) => {
      const length = tokens.length / texts;
      const ofGroup = new Map<number, string[]>();
      textGroups.forEach((group, text) => {
        // Behind the token that each begins with.
        const own = [...tokens.subarray(text * length + 1, (text + 1) * length)];
        const ended = own.indexOf(end);
        const said = say(ended === -1 ? own : own.slice(0, ended));
        ofGroup.set(group, [...(ofGroup.get(group) ?? []), said]);
      });
      imageGroups.forEach((group, picture) => {
        all.push({ candidate: say(written[picture] ?? []), references: ofGroup.get(group) ?? [] });
      });
    },
    scores: (): Scores => {
      const judged = all.map(({ candidate, references }): Judged => ({
        candidate: wordsOf(candidate),
        references: references.map(wordsOf),
      }));
      const ciders = ciderD(judged);
      const [one, two, three, four] = bleu(judged).map((share) => 100 * share);
      return {
        ciderD: (100 * ciders.reduce((sum, score) => sum + score, 0)) / ciders.length,
        ...(statementsOf === undefined ? {} : { tupleF1: 100 * statementF1(all, statementsOf) }),
        bleu1: one ?? Number.NaN,
        bleu2: two ?? Number.NaN,
        bleu3: three ?? Number.NaN,
        bleu4: four ?? Number.NaN,
      };
    },
  };
}

/**
 * The mean F1 of what a text says beside all that its references say: as SPICE compares (Anderson et al., 2016), of statements that come from
 * the grammar that made the references. A text that says nothing has 0.
 */
function statementF1(
  all: readonly { readonly candidate: string; readonly references: readonly string[] }[],
  statementsOf: (text: string) => readonly string[],
): number {
  const each = all.map(({ candidate, references }) => {
    const own = new Set(statementsOf(candidate));
    const right = new Set(references.flatMap((reference) => [...statementsOf(reference)]));
    const both = [...own].filter((statement) => right.has(statement)).length;
    return both === 0 ? 0 : (2 * both) / (own.size + right.size);
  });
  return each.reduce((sum, score) => sum + score, 0) / each.length;
}
