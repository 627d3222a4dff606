import { type RandomStream, permutation } from '@winnow/core';
import { sceneConcepts } from './concepts';
import type { SceneDrawings } from './drawings';
import { sceneOf } from './occlusion';
import { type Description, described, some, words } from './phrase';
import type { Scene, SceneGraph } from './scene';

export type StatementMeaning =
  | { readonly kind: 'each'; readonly of: Description }
  | { readonly kind: 'only left'; readonly of: Description }
  | { readonly kind: 'more in left'; readonly of: Description }
  | { readonly kind: 'in all'; readonly of: Description; readonly count: number };

/** A sentence about two pictures, with two pictures it is true of and two it is not. */
export interface StatementPair {
  readonly text: string;
  readonly meaning: StatementMeaning;
  readonly whenTrue: readonly [Scene, Scene];
  readonly whenFalse: readonly [Scene, Scene];
}

const numbers = ['no', 'one', 'two', 'three', 'four', 'five', 'six'] as const;

/** Whether a statement is true of a left and a right picture. */
export function isTrueOf(
  [left, right]: readonly [SceneGraph, SceneGraph],
  statement: StatementMeaning,
): boolean {
  const [inLeft, inRight] = [left, right].map((scene) => described(scene, statement.of).length);
  if (inLeft === undefined || inRight === undefined) return false;
  switch (statement.kind) {
    case 'each':
      return inLeft > 0 && inRight > 0;
    case 'only left':
      return inLeft > 0 && inRight === 0;
    case 'more in left':
      return inLeft > inRight;
    case 'in all':
      return inLeft + inRight === statement.count;
  }
  statement satisfies never;
  return statement;
}

/** A statement as text. */
export function stated(statement: StatementMeaning): string {
  const one = some(words(statement.of));
  const many = words(statement.of, true);
  switch (statement.kind) {
    case 'each':
      return `each picture has ${one}.`;
    case 'only left':
      return `there is ${one} in the left picture, but not in the right one.`;
    case 'more in left':
      return `there are more ${many} in the left picture than in the right one.`;
    case 'in all':
      return statement.count === 1
        ? `there is exactly one ${words(statement.of)} in the two pictures.`
        : `there are exactly ${numbers[statement.count] ?? ''} ${many} in the two pictures.`;
  }
  statement satisfies never;
  return statement;
}

/** The scene with one of its objects exchanged for one of another concept, in the same place. */
function exchanged(scene: Scene, index: number, concept: number, drawings: SceneDrawings): Scene {
  const { layout } = scene;
  const objects = layout.objects.map((object, place) =>
    place === index ? { ...object, concept, colour: undefined } : object,
  );
  return sceneOf({ ...layout, objects }, drawings);
}

const inOwnColours = sceneConcepts.flatMap(({ recolourable }, index) => (recolourable ? [] : [index]));

/** A concept to put in an object's place: every other time one that the statement is about. */
function conceptFor({ noun }: Description, random: RandomStream): number {
  const meant = inOwnColours.filter((index) => {
    const concept = sceneConcepts[index];
    return noun.kind === 'anything' || (noun.kind === 'group' ? concept?.group : concept?.name) === noun.name;
  });
  const choices = meant.length > 0 && random.uniform() < 0.5 ? meant : inOwnColours;
  return choices[random.integer(choices.length)] ?? 0;
}

/** Two pictures that give a statement the other truth: swapped, or with one object exchanged. */
function turned(
  pictures: readonly [Scene, Scene],
  meaning: StatementMeaning,
  { drawings, random }: { readonly drawings: SceneDrawings; readonly random: RandomStream },
): readonly [Scene, Scene] | undefined {
  const wanted = !isTrueOf(pictures, meaning);
  const [left, right] = pictures;
  const choices: (() => readonly [Scene, Scene])[] = [() => [right, left]];
  const concept = conceptFor(meaning.of, random);
  for (const [index] of left.objects.entries()) {
    choices.push(() => [exchanged(left, index, concept, drawings), right]);
  }
  for (const [index] of right.objects.entries()) {
    choices.push(() => [left, exchanged(right, index, concept, drawings)]);
  }
  for (const choice of permutation(choices.length, random)) {
    const other = choices[choice]?.();
    if (other !== undefined && isTrueOf(other, meaning) === wanted) return other;
  }
  return undefined;
}

function meaningOf(
  [left, right]: readonly [Scene, Scene],
  random: RandomStream,
): StatementMeaning | undefined {
  const objects = [...left.objects, ...right.objects];
  const object = objects[random.integer(objects.length)];
  if (object === undefined) return undefined;
  const group = random.uniform() < 0.5;
  const of: Description = {
    noun: group ? { kind: 'group', name: object.group } : { kind: 'concept', name: object.concept },
  };
  const kinds = ['each', 'only left', 'more in left', 'in all'] as const;
  const kind = kinds[random.integer(kinds.length)] ?? 'each';
  if (kind !== 'in all') return { kind, of };
  const count = described(left, of).length + described(right, of).length;
  return count < numbers.length ? { kind, of, count } : undefined;
}

const MOST_TRIES = 12;

/**
 * Draws a statement about two pictures, and two pictures of which the opposite is the case, by swapping them or by exchanging one
 * object: so the sentence alone says nothing.
 * @returns nothing where no try has found one, which is rare.
 */
export function statementOf(
  pictures: readonly [Scene, Scene],
  drawings: SceneDrawings,
  random: RandomStream,
): StatementPair | undefined {
  for (let left = MOST_TRIES; left > 0; left--) {
    const meaning = meaningOf(pictures, random);
    const other = meaning === undefined ? undefined : turned(pictures, meaning, { drawings, random });
    if (meaning === undefined || other === undefined) continue;
    const isTrue = isTrueOf(pictures, meaning);
    return {
      text: stated(meaning),
      meaning,
      whenTrue: isTrue ? pictures : other,
      whenFalse: isTrue ? other : pictures,
    };
  }
  return undefined;
}
