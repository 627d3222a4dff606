import { type RandomStream, permutation } from '@winnow/core';
import { sceneConcepts } from './concepts';
import type { GroundedSpan } from './expressions';
import { some, words } from './phrase';
import type { SceneGraph, SceneObject } from './scene';

/** A text that names every object of a scene, phrase by phrase. */
export interface Sentence {
  readonly text: string;
  /** One for each phrase, in the order of the text; together they have each object once. */
  readonly spans: readonly GroundedSpan[];
}

const SAYS_SIZE = 0.5;

const numbers = ['', '', 'two', 'three', 'four', 'five', 'six'] as const;

/** "a small red car", or "three keys" with the colour that they share. */
function phraseOf(objects: readonly SceneObject[], random: RandomStream): string {
  const [first, second] = objects;
  if (first === undefined) throw new RangeError('expected an object to name');
  const colour = objects.every((object) => object.colour === first.colour) ? first.colour : undefined;
  const noun = { kind: 'concept', name: first.concept } as const;
  if (second !== undefined) return `${numbers[objects.length] ?? ''} ${words({ noun, colour }, true)}`;
  const size = random.uniform() < SAYS_SIZE ? first.size : undefined;
  return some(words({ noun, colour, size }));
}

/** "a", "a and b", "a, b and c", and where each of them stands. */
function listed(phrases: readonly string[]): { text: string; starts: readonly number[] } {
  let text = '';
  const starts = phrases.map((phrase, place) => {
    text += place === 0 ? '' : place === phrases.length - 1 ? ' and ' : ', ';
    const start = text.length;
    text += phrase;
    return start;
  });
  return { text, starts };
}

/** Draws a sentence about all objects of a scene: one phrase for each concept, in any order. */
export function sentenceOf({ objects }: SceneGraph, random: RandomStream): Sentence {
  const concepts = sceneConcepts.flatMap(({ name }) => {
    const own = [...objects.keys()].filter((index) => objects[index]?.concept === name);
    return own.length === 0 ? [] : [own];
  });
  const ordered = [...permutation(concepts.length, random)].flatMap((place) => {
    const own = concepts[place];
    return own === undefined ? [] : [own];
  });
  const phrases = ordered.map((own) =>
    phraseOf(
      own.flatMap((index) => objects[index] ?? []),
      random,
    ),
  );
  const { text, starts } = listed(phrases);
  return {
    text,
    spans: ordered.map((own, place) => {
      const start = starts[place] ?? 0;
      return { start, end: start + (phrases[place]?.length ?? 0), objects: own };
    }),
  };
}
