import {
  type SceneColourName,
  type SceneGroupName,
  type SceneSizeName,
  sceneConcepts,
  sceneGroups,
} from './concepts';
import { type SceneRelation, type SceneSide, type Superlative, holds, leader, ranked } from './relations';
import type { SceneGraph, SceneObject } from './scene';

/** A kind of object: a concept, all of a group, or anything. */
export type Noun =
  | { readonly kind: 'concept'; readonly name: string }
  | { readonly kind: 'group'; readonly name: SceneGroupName }
  | { readonly kind: 'anything' };

/** `[size] [colour] noun`. */
export interface Description {
  readonly noun: Noun;
  readonly size?: SceneSizeName | undefined;
  readonly colour?: SceneColourName | undefined;
}

/** `[ordinal | superlative] [size] [colour] noun [relation object]`. */
export interface Phrase extends Description {
  readonly rank?:
    | { readonly kind: 'superlative'; readonly word: Superlative }
    | { readonly kind: 'ordinal'; /** 0 is the first. */ readonly place: number; readonly from: SceneSide }
    | undefined;
  readonly relation?: { readonly word: SceneRelation; readonly object: Description } | undefined;
}

const isNamed = (object: SceneObject, noun: Noun): boolean => {
  switch (noun.kind) {
    case 'concept':
      return object.concept === noun.name;
    case 'group':
      return object.group === noun.name;
    case 'anything':
      return true;
  }
  noun satisfies never;
  return noun;
};

const fits = (object: SceneObject, { noun, size, colour }: Description): boolean =>
  isNamed(object, noun) &&
  (size === undefined || object.size === size) &&
  (colour === undefined || object.colour === colour);

/** Finds the objects that a description fits. */
export const described = ({ objects }: SceneGraph, description: Description): SceneObject[] =>
  objects.filter((object) => fits(object, description));

/**
 * Finds the objects that a phrase means: those that fit, of them those in the relation, of them the first by rank. Nothing where its
 * object is not exactly one, or no object leads.
 */
export function referents(scene: SceneGraph, { rank, relation, ...description }: Phrase): SceneObject[] {
  let found = described(scene, description);
  if (relation !== undefined) {
    const [object, another] = described(scene, relation.object);
    if (object === undefined || another !== undefined) return [];
    found = found.filter((one) => one !== object && holds(scene, one, relation.word, object));
  }
  if (rank === undefined) return found;
  const first =
    rank.kind === 'superlative'
      ? leader(found, rank.word, scene.side)
      : found.length < 2
        ? undefined
        : ranked(found, rank.from, scene.side)?.[rank.place];
  return first === undefined ? [] : [first];
}

/** `[size] [colour] noun`, without an article. */
export function words({ noun, size, colour }: Description, plural = false): string {
  const form = (names: { readonly name: string; readonly plural: string } | undefined) =>
    (plural ? names?.plural : names?.name) ?? '';
  const known =
    noun.kind === 'concept'
      ? form(sceneConcepts.find(({ name }) => name === noun.name))
      : noun.kind === 'group'
        ? form(sceneGroups.find(({ name }) => name === noun.name))
        : form({ name: 'object', plural: 'objects' });
  return [size, colour, known].filter((word) => word !== undefined).join(' ');
}

/** With "a" or "an". */
export const some = (text: string): string => `${/^[aeiou]/.test(text) ? 'an' : 'a'} ${text}`;

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'] as const;
/** The number of places that have a word. */
export const ORDINALS = ordinals.length;

const saidOf: Readonly<Record<SceneSide, string>> = {
  left: 'from the left',
  right: 'from the right',
  top: 'from the top',
  bottom: 'from the bottom',
};

/** A phrase as text. The first characters, up to `nounPhrase`, are its root noun phrase. */
export function said({ rank, relation, ...description }: Phrase): {
  readonly text: string;
  readonly nounPhrase: number;
} {
  const ranking =
    rank === undefined ? [] : [rank.kind === 'superlative' ? rank.word : (ordinals[rank.place] ?? '')];
  const root = ['the', ...ranking, words(description)].join(' ');
  const rest = [
    ...(rank?.kind === 'ordinal' ? [saidOf[rank.from]] : []),
    ...(relation === undefined ? [] : [relation.word, 'the', words(relation.object)]),
  ];
  return { text: [root, ...rest].join(' '), nounPhrase: root.length };
}
