import type { RandomStream } from '@winnow/core';
import type { EntailmentLabel } from '../grounded/entailment-data';
import { isClear } from './compose';
import { type SceneColourName, isHeldOutPair, sceneColours, sceneConcepts } from './concepts';
import type { SceneDrawings } from './drawings';
import { sceneOf } from './occlusion';
import { type Description, described, words } from './phrase';
import { holds, isLarger } from './relations';
import type { PlacedObject, Scene, SceneGraph, SceneObject } from './scene';

const opposites = {
  'left of': 'right of',
  'right of': 'left of',
  above: 'below',
  below: 'above',
} as const;
type Direction = keyof typeof opposites;
const directions = ['left of', 'right of', 'above', 'below'] as const satisfies readonly Direction[];

/** A statement about one object, or two, that speaks of each as if it was there. */
export type EntailmentMeaning =
  | { readonly kind: 'where'; readonly a: Description; readonly is: Direction; readonly b: Description }
  | {
      readonly kind: 'size';
      readonly a: Description;
      readonly is: 'larger' | 'smaller';
      readonly b: Description;
    }
  | { readonly kind: 'colour'; readonly a: Description; readonly is: SceneColourName };

/** A statement, and a scene of each class. */
export interface EntailmentTriple {
  readonly text: string;
  readonly meaning: EntailmentMeaning;
  readonly scenes: Readonly<Record<EntailmentLabel, Scene>>;
  /** Whichever of them is the scene that it was drawn for; the others differ from it by one exchange each, or by two. */
  readonly drawnFor: EntailmentLabel;
}

/**
 * Judges a statement by the scene graph: true, false, or not told (`neutral`), where the scene has not what the statement speaks of.
 * Nothing where it has several of them, or where they differ too little for either.
 */
export function verdictOf(scene: SceneGraph, statement: EntailmentMeaning): EntailmentLabel | undefined {
  const found = mentionedIn(statement).map((of) => described(scene, of));
  if (found.some((own) => own.length > 1)) return undefined;
  if (found.some((own) => own.length === 0)) return 'neutral';
  const [a, b] = found.flat();
  if (a === undefined) return undefined;
  if (statement.kind === 'colour') {
    if (a.colour === undefined) return undefined;
    return a.colour === statement.is ? 'entailment' : 'contradiction';
  }
  if (b === undefined) return undefined;
  const isSo = statement.kind === 'where' ? holds(scene, a, statement.is, b) : compares(a, statement.is, b);
  if (isSo) return 'entailment';
  const isOpposite =
    statement.kind === 'where' ? holds(scene, a, opposites[statement.is], b) : compares(b, statement.is, a);
  return isOpposite ? 'contradiction' : undefined;
}

const compares = (a: SceneObject, is: 'larger' | 'smaller', b: SceneObject): boolean =>
  is === 'larger' ? isLarger(a, b) : isLarger(b, a);

const mentionedIn = (statement: EntailmentMeaning): readonly Description[] =>
  statement.kind === 'colour' ? [statement.a] : [statement.a, statement.b];

/** A statement as text. */
export function entailed(statement: EntailmentMeaning): string {
  const subject = `the ${words(statement.a)} is`;
  switch (statement.kind) {
    case 'where':
      return `${subject} ${statement.is} the ${words(statement.b)}.`;
    case 'size':
      return `${subject} ${statement.is} than the ${words(statement.b)}.`;
    case 'colour':
      return `${subject} ${statement.is}.`;
  }
  statement satisfies never;
  return statement;
}

const named = (name: string): Description => ({ noun: { kind: 'concept', name } });
const pair = { a: named('cat'), b: named('dog') };

/** A statement of each kind: their words, but for those of things and colours. */
export const everyStatement: readonly string[] = [
  ...directions.map((is) => entailed({ kind: 'where', is, ...pair })),
  ...(['larger', 'smaller'] as const).map((is) => entailed({ kind: 'size', is, ...pair })),
];

const pick = <Item>(items: readonly Item[], random: RandomStream): Item | undefined =>
  items[random.integer(items.length)];

type Looks = Pick<PlacedObject, 'concept' | 'colour'>;

/** The scene with other things in some of its places; nothing where one of them would be hidden, or hard to see. */
function exchanged(
  scene: Scene,
  others: ReadonlyMap<number, Looks>,
  drawings: SceneDrawings,
): Scene | undefined {
  const objects = scene.layout.objects.map((object, place) => ({ ...object, ...others.get(place) }));
  const other = sceneOf({ ...scene.layout, objects }, drawings);
  return [...others.keys()].every((place) => isClear(other, place, drawings)) ? other : undefined;
}

/** Colours that a concept may have in every split. */
const coloursOf = (concept: number): readonly number[] => {
  const known = sceneConcepts[concept];
  if (known?.recolourable !== true) return [];
  return sceneColours.flatMap((_, colour) => (isHeldOutPair(known, colour) ? [] : [colour]));
};

/** Another thing than one that is there: every other time of its group, and of its colour where it may have that. */
function otherThan(object: PlacedObject, random: RandomStream): Looks {
  const group = sceneConcepts[object.concept]?.group;
  const alike = random.uniform() < 0.5;
  const choices = sceneConcepts.flatMap((concept, index) =>
    index !== object.concept && (!alike || concept.group === group) ? [index] : [],
  );
  const concept = pick(choices, random) ?? 0;
  const colours = coloursOf(concept);
  const own = colours.find((colour) => colour === object.colour);
  return { concept, colour: own ?? pick(colours, random) };
}

const nounOf = ({ concept }: SceneObject): Description => named(concept);

/** Things that a statement can speak of: those that are not there twice. */
const aloneIn = (objects: readonly SceneObject[]): readonly SceneObject[] =>
  objects.filter(({ concept }) => objects.filter((other) => other.concept === concept).length === 1);

/** Draws a statement about things of a scene: where one is, which is larger, or of which colour one is. */
function meaningOf({ objects, layout }: Scene, random: RandomStream): EntailmentMeaning | undefined {
  const alone = aloneIn(objects);
  const kind = pick(['where', 'size', 'colour'] as const, random) ?? 'where';
  if (kind === 'colour') {
    const a = pick(
      alone.filter(({ colour }) => colour !== undefined),
      random,
    );
    const placed = layout.objects[a?.depth ?? -1];
    if (a?.colour === undefined || placed === undefined) return undefined;
    const other = sceneColours[pick(coloursOf(placed.concept), random) ?? 0];
    return { kind, a: nounOf(a), is: random.uniform() < 0.5 ? a.colour : (other?.name ?? a.colour) };
  }
  const a = pick(alone, random);
  const b = pick(
    alone.filter((object) => object !== a),
    random,
  );
  if (a === undefined || b === undefined) return undefined;
  const both = { a: nounOf(a), b: nounOf(b) };
  return kind === 'where'
    ? { kind, ...both, is: pick(directions, random) ?? 'above' }
    : { kind, ...both, is: random.uniform() < 0.5 ? 'larger' : 'smaller' };
}

const placesOf = (scene: Scene, meaning: EntailmentMeaning): readonly number[] =>
  mentionedIn(meaning).flatMap((of) => described(scene, of).map(({ depth }) => depth));

/** The scene with the two things of a statement in each other's place, or with its one thing in another colour. */
function turned(
  scene: Scene,
  meaning: EntailmentMeaning,
  drawings: SceneDrawings,
  random: RandomStream,
): Scene | undefined {
  const [first = -1, second = -1] = placesOf(scene, meaning);
  const [a, b] = [scene.layout.objects[first], scene.layout.objects[second]];
  if (a === undefined) return undefined;
  const { concept, colour } = a;
  if (meaning.kind === 'colour') {
    const wanted = sceneColours.findIndex(({ name }) => name === meaning.is);
    const others = coloursOf(concept).filter((other) => other !== colour);
    const painted = wanted === colour ? pick(others, random) : wanted;
    return exchanged(scene, new Map([[first, { concept, colour: painted }]]), drawings);
  }
  if (b === undefined) return undefined;
  const swapped = new Map<number, Looks>([
    [first, { concept: b.concept, colour: b.colour }],
    [second, { concept, colour }],
  ]);
  return exchanged(scene, swapped, drawings);
}

/** The scene with something else in one of some places. */
function without(
  scene: Scene,
  places: readonly number[],
  drawings: SceneDrawings,
  random: RandomStream,
): Scene | undefined {
  const place = pick(places, random) ?? -1;
  const object = scene.layout.objects[place];
  return object === undefined
    ? undefined
    : exchanged(scene, new Map([[place, otherThan(object, random)]]), drawings);
}

const labels = ['contradiction', 'entailment', 'neutral'] as const satisfies readonly EntailmentLabel[];
const MOST_TRIES = 40;

/**
 * Draws a statement, and a scene of which it is true, one of which it is false, and one that does not tell, as it lacks what the statement
 * speaks of: so the statement alone says nothing. Which of them the given scene is, is drawn first. The others have two things in each
 * other's place, one in another colour, or something else in the place of one, and the solver has judged all three.
 * @returns nothing for a scene that has not two things once each, and where no try has found one.
 */
export function entailmentOf(
  scene: Scene,
  drawings: SceneDrawings,
  random: RandomStream,
): EntailmentTriple | undefined {
  // Others would be drawn for one label more often than for the rest, and the picture alone would say something.
  if (aloneIn(scene.objects).length < 2) return undefined;
  const drawnFor = pick(labels, random) ?? 'neutral';
  for (let left = MOST_TRIES; left > 0; left--) {
    // A scene that does not tell lacks what another in its place has.
    const told = drawnFor === 'neutral' ? without(scene, [...scene.objects.keys()], drawings, random) : scene;
    const meaning = told === undefined ? undefined : meaningOf(told, random);
    if (told === undefined || meaning === undefined) continue;
    const verdict = verdictOf(told, meaning);
    const isWanted = drawnFor === 'neutral' ? verdictOf(scene, meaning) === 'neutral' : verdict === drawnFor;
    if (!isWanted || (verdict !== 'entailment' && verdict !== 'contradiction')) continue;
    const opposite = verdict === 'entailment' ? 'contradiction' : 'entailment';
    const other = turned(told, meaning, drawings, random);
    if (other === undefined || verdictOf(other, meaning) !== opposite) continue;
    const neutral = drawnFor === 'neutral' ? scene : without(told, placesOf(told, meaning), drawings, random);
    if (neutral === undefined || verdictOf(neutral, meaning) !== 'neutral') continue;
    const [contradiction, entailment] = verdict === 'entailment' ? [other, told] : [told, other];
    return { text: entailed(meaning), meaning, scenes: { contradiction, entailment, neutral }, drawnFor };
  }
  return undefined;
}
