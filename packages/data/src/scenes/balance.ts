import { grouped } from '../split/grouped';
import type { Question, QuestionMeaning } from './questions';
import { words } from './phrase';

/** A question, and the scene of a pool that it is about. */
export interface PooledQuestion extends Question {
  readonly scene: number;
}

/**
 * Names the thing that a question asks for, up to where the answers have to be balanced: questions that read alike to somebody who does not see the
 * picture. A question whose answer is a kind of object is balanced over all of them.
 */
function reading(question: QuestionMeaning): string {
  switch (question.kind) {
    case 'exist':
    case 'colour':
    case 'count':
      return `${question.kind} ${words({ noun: question.of.noun })}`;
    case 'compare':
    case 'where':
      return `${question.kind} ${words({ noun: question.a.noun })}`;
    case 'which':
    case 'leader':
      return question.kind;
  }
  question satisfies never;
  return question;
}

/** Answers that are rarer than this share of the most frequent are left out: they would cost too many of the others. */
const RAREST = 0.3;

/**
 * Takes so many questions that all answers to questions of one kind about one noun are equally frequent: nobody gains by knowing
 * what is usual. Rare answers are left out with their questions, and kinds with a single answer altogether.
 * @returns in the order of `questions`.
 */
export function balanced(questions: readonly PooledQuestion[]): PooledQuestion[] {
  const kept = new Set<PooledQuestion>();
  for (const alike of grouped(questions, ({ meaning }) => reading(meaning)).values()) {
    const byAnswer = [...grouped(alike, ({ answer }) => answer).values()];
    const most = Math.max(...byAnswer.map(({ length }) => length));
    const frequent = byAnswer.filter(({ length }) => length >= RAREST * most);
    if (frequent.length < 2) continue;
    const quota = Math.min(...frequent.map(({ length }) => length));
    for (const answered of frequent) for (const question of answered.slice(0, quota)) kept.add(question);
  }
  return questions.filter((question) => kept.has(question));
}

const mostFrequent = (answers: readonly string[]): string | undefined =>
  [...grouped(answers, (answer) => answer).values()].reduce<readonly string[]>(
    (best, other) => (other.length > best.length ? other : best),
    [],
  )[0];

/**
 * The share of questions that the best guess without a picture answers: the most frequent answer to the same words in training, or
 * else to questions of its kind.
 */
export function textOnlyAccuracy(train: readonly Question[], test: readonly Question[]): number {
  const guessesBy = (key: (question: Question) => string) =>
    new Map(
      [...grouped(train, key)].map(([name, alike]) => [
        name,
        mostFrequent(alike.map(({ answer }) => answer)),
      ]),
    );
  const [byText, byReading] = [guessesBy(({ text }) => text), guessesBy(({ meaning }) => reading(meaning))];
  const right = test.filter(
    ({ text, meaning, answer }) => (byText.get(text) ?? byReading.get(reading(meaning))) === answer,
  );
  return right.length / Math.max(1, test.length);
}

/** The share of questions that the best guess of each type answers that sees neither text nor picture. */
export function priorAccuracy(train: readonly Question[], test: readonly Question[]): number {
  const guesses = new Map(
    [...grouped(train, ({ type }) => type)].map(([type, alike]) => [
      type,
      mostFrequent(alike.map(({ answer }) => answer)),
    ]),
  );
  return test.filter(({ type, answer }) => guesses.get(type) === answer).length / Math.max(1, test.length);
}
