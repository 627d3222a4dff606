import { type RandomStream, permutation } from '@winnow/core';
import { type Description, ORDINALS, type Phrase, described, referents, said } from './phrase';
import { sceneRelations, sceneSides, superlatives } from './relations';
import type { SceneGraph, SceneObject } from './scene';

/** Characters of a text, half-open, and the objects they name. */
export interface GroundedSpan {
  readonly start: number;
  readonly end: number;
  /** Indices into the scene's objects. */
  readonly objects: readonly number[];
}

/** A text that means one object of a scene. */
export interface Expression {
  readonly text: string;
  readonly phrase: Phrase;
  /** Its root noun phrase. */
  readonly span: GroundedSpan;
  /** Whether its noun alone would mean another number of objects than one. */
  readonly needsMore: boolean;
}

/** Phrases that are tried for an object. */
const MOST_TRIES = 24;
/** Chances of what a phrase has. */
const SAYS_SIZE = 0.25;
const SAYS_COLOUR = 0.6;
const SAYS_GROUP = 0.12;
/** The share of the objects whose noun alone means them that get an expression: most should need more. */
const EASY_SHARE = 0.3;

const pick = <Item>(items: readonly Item[], random: RandomStream): Item | undefined =>
  items[random.integer(items.length)];

/** The noun, with the colour where the noun alone is not enough, if that means this object alone. */
export function shortest(scene: SceneGraph, object: SceneObject): Description | undefined {
  const noun = { kind: 'concept', name: object.concept } as const;
  const choices: Description[] = [
    { noun },
    ...(object.colour === undefined ? [] : [{ noun, colour: object.colour }]),
  ];
  return choices.find((description) => described(scene, description).length === 1);
}

function relationTo(scene: SceneGraph, target: SceneObject, random: RandomStream): Phrase['relation'] {
  const other = pick(
    scene.objects.filter((object) => object !== target),
    random,
  );
  const word = pick(sceneRelations, random);
  const object = other === undefined ? undefined : shortest(scene, other);
  return word === undefined || object === undefined ? undefined : { word, object };
}

function drawn(scene: SceneGraph, target: SceneObject, random: RandomStream): Phrase {
  const noun =
    random.uniform() < SAYS_GROUP
      ? ({ kind: 'group', name: target.group } as const)
      : ({ kind: 'concept', name: target.concept } as const);
  const size = random.uniform() < SAYS_SIZE ? target.size : undefined;
  const colour = random.uniform() < SAYS_COLOUR ? target.colour : undefined;
  const kind = random.integer(5);
  const description = { noun, size, colour };
  if (kind === 0) return description;
  if (kind === 1) {
    const [place, from] = [random.integer(ORDINALS), pick(sceneSides, random) ?? 'left'];
    return { ...description, rank: { kind: 'ordinal', place, from } };
  }
  const word = pick(superlatives, random) ?? 'largest';
  // A size beside the word for the largest would say something twice, or nothing.
  const rank = kind === 2 ? ({ kind: 'superlative', word } as const) : undefined;
  return {
    noun,
    colour,
    size: rank === undefined ? size : undefined,
    rank,
    relation: kind >= 3 ? relationTo(scene, target, random) : undefined,
  };
}

const sharesKind = (a: SceneObject, b: SceneObject): boolean =>
  a !== b && (a.concept === b.concept || a.group === b.group);

/**
 * Draws expressions for objects of a scene, one for each at most, whose solver finds exactly that object, and which has a
 * distractor of the same concept or group.
 * @param most Expressions wanted.
 */
export function expressionsOf(scene: SceneGraph, most: number, random: RandomStream): Expression[] {
  const found: Expression[] = [];
  for (const index of permutation(scene.objects.length, random)) {
    const target = scene.objects[index];
    if (found.length >= most) break;
    if (target === undefined || !scene.objects.some((other) => sharesKind(target, other))) continue;
    const alone = described(scene, { noun: { kind: 'concept', name: target.concept } }).length === 1;
    if (alone && random.uniform() >= EASY_SHARE) continue;
    for (let left = MOST_TRIES; left > 0; left--) {
      const phrase = drawn(scene, target, random);
      const [only, another] = referents(scene, phrase);
      if (only !== target || another !== undefined) continue;
      const { text, nounPhrase } = said(phrase);
      found.push({
        text,
        phrase,
        span: { start: 0, end: nounPhrase, objects: [index] },
        needsMore: described(scene, { noun: phrase.noun }).length !== 1,
      });
      break;
    }
  }
  return found;
}

const numbers = ['', '', 'two', 'three', 'four', 'five', 'six'] as const;

/** Plural phrases that mean all objects of a concept, for phrase grounding: "both apples", "all three keys". */
export function pluralsOf(
  scene: SceneGraph,
  plural: (concept: string) => string,
): { text: string; span: GroundedSpan }[] {
  const concepts = [...new Set(scene.objects.map(({ concept }) => concept))];
  return concepts.flatMap((concept) => {
    const objects = scene.objects.flatMap((object, index) => (object.concept === concept ? [index] : []));
    if (objects.length < 2) return [];
    const amount = objects.length === 2 ? 'both' : `all ${numbers[objects.length] ?? ''}`;
    const text = `${amount} ${plural(concept)}`;
    return [{ text, span: { start: 0, end: text.length, objects } }];
  });
}
