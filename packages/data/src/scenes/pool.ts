import { randomStream } from '@winnow/core';
import { type PooledQuestion, balanced } from './balance';
import { type Caption, captionsOf, isTrue } from './captions';
import { sceneConcepts } from './concepts';
import { type EntailmentTriple, entailmentOf } from './entailment';
import { type Expression, type GroundedSpan, expressionsOf, pluralsOf } from './expressions';
import type { Noun } from './phrase';
import { questionsOf } from './questions';
import type { Scene } from './scene';
import { type Sentence, sentenceOf } from './sentences';
import type { SceneSource, SceneSplit } from './splits';
import { type StatementPair, statementOf } from './statements';

/** The scenes of a split from the first on. */
export interface ScenePool {
  readonly source: SceneSource;
  readonly split: SceneSplit;
  readonly scenes: readonly Scene[];
}

/** Makes the first scenes of a split. */
export const scenePool = (source: SceneSource, split: SceneSplit, size: number): ScenePool => ({
  source,
  split,
  scenes: Array.from({ length: size }, (_, index) => source.at(split, index)),
});

const stream = ({ source, split }: ScenePool, kind: string, index: number) =>
  randomStream(source.seed, 'scene', kind, split, index);

/** Draws up to `most` expressions for each scene. They depend on the scene alone. */
export const expressionsIn = (pool: ScenePool, most = 3): Expression[][] =>
  pool.scenes.map((scene, index) => expressionsOf(scene, most, stream(pool, 'expressions', index)));

/** Draws sentences about each scene, each of which names all objects. They depend on the scene alone. */
export const sentencesIn = (pool: ScenePool, each = 2): Sentence[][] =>
  pool.scenes.map((scene, index) => {
    const random = stream(pool, 'sentences', index);
    return Array.from({ length: each }, () => sentenceOf(scene, random));
  });

const pluralOf = (concept: string): string =>
  sceneConcepts.find(({ name }) => name === concept)?.plural ?? concept;

/** Lists each scene's plural phrases with all the objects they mean. */
export const pluralsIn = (pool: ScenePool): { text: string; span: GroundedSpan }[][] =>
  pool.scenes.map((scene) => pluralsOf(scene, pluralOf));

/** Captions of a scene. */
export const CAPTIONS = 5;
const CANDIDATE_ROUNDS = 6;

/**
 * Draws five captions for each scene: those of its candidates that are true of no other scene in the pool, as the solver says, and
 * only then others.
 * @returns with the number of captions that are true of another scene as well.
 */
export function captionsIn(pool: ScenePool): { readonly captions: Caption[][]; readonly ambiguous: number } {
  const holders = new Map<string, number[]>();
  pool.scenes.forEach(({ objects }, index) => {
    for (const concept of new Set(objects.map((object) => object.concept))) {
      holders.set(concept, [...(holders.get(concept) ?? []), index]);
    }
  });
  let ambiguous = 0;
  const captions = pool.scenes.map((scene, index) => {
    const candidates = captionsOf(scene, CANDIDATE_ROUNDS, stream(pool, 'captions', index));
    const isAlone = ({ meaning }: Caption): boolean => {
      const lists = meaning.mentioned.map(({ noun }) => holders.get(nameOf(noun)) ?? []);
      const fewest = lists.reduce((best, other) => (other.length < best.length ? other : best));
      return fewest.every((other) => {
        const elsewhere = pool.scenes[other];
        return other === index || elsewhere === undefined || !isTrue(elsewhere, meaning);
      });
    };
    const alone: Caption[] = [];
    const shared: Caption[] = [];
    for (const candidate of candidates) {
      if (alone.length >= CAPTIONS) break;
      (isAlone(candidate) ? alone : shared).push(candidate);
    }
    const chosen = [...alone, ...shared].slice(0, CAPTIONS);
    ambiguous += Math.max(0, chosen.length - alone.length);
    return chosen;
  });
  return { captions, ambiguous };
}

const nameOf = (noun: Noun): string => (noun.kind === 'anything' ? '' : noun.name);

/** Draws questions about the scenes, whose answers are balanced over the whole pool. */
export const questionsIn = (pool: ScenePool, mostOfType = 2): PooledQuestion[] =>
  balanced(
    pool.scenes.flatMap((about, scene) =>
      questionsOf(about, mostOfType, stream(pool, 'questions', scene)).map((question) => ({
        ...question,
        scene,
      })),
    ),
  );

/** Draws a statement for each two neighbouring scenes. */
export const statementsIn = (pool: ScenePool): StatementPair[] =>
  pool.scenes.flatMap((left, index) => {
    const right = pool.scenes[index + 1];
    if (index % 2 !== 0 || right === undefined) return [];
    const statement = statementOf(
      [left, right],
      pool.source.drawingsOf(pool.split),
      stream(pool, 'statements', index),
    );
    return statement === undefined ? [] : [statement];
  });

/** Draws a statement for each scene that has one, with a picture for each class. They depend on the scene alone. */
export const entailmentIn = (pool: ScenePool): EntailmentTriple[] =>
  pool.scenes.flatMap((scene, index) => {
    const drawings = pool.source.drawingsOf(pool.split);
    const found = entailmentOf(scene, drawings, stream(pool, 'entailment', index));
    return found === undefined ? [] : [found];
  });
