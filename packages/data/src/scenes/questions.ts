import { type RandomStream, permutation } from '@winnow/core';
import { sceneColours, sceneConcepts, sceneSizes } from './concepts';
import { shortest } from './expressions';
import { type Description, type Noun, described, referents, some, words } from './phrase';
import {
  type SceneRelation,
  holds,
  isLarger,
  sceneRelations,
  superlatives,
  type Superlative,
} from './relations';
import type { SceneGraph, SceneObject } from './scene';

/** The kinds of questions, each with answers of its own; MDETR has a head for each. */
export const questionTypes = ['binary', 'attribute', 'object', 'relation', 'global'] as const;
export type QuestionType = (typeof questionTypes)[number];

/** The answers of each type, in the order of the classes of its head. */
export const answersOf: Readonly<Record<QuestionType, readonly string[]>> = {
  binary: ['no', 'yes'],
  attribute: sceneColours.map(({ name }) => name),
  object: sceneConcepts.map(({ name }) => name),
  relation: ['left of', 'right of', 'above', 'below'],
  global: ['0', '1', '2', '3', '4', '5', '6'],
};

export type QuestionMeaning =
  | { readonly kind: 'exist'; readonly of: Description }
  | { readonly kind: 'compare'; readonly a: Description; readonly b: Description }
  | { readonly kind: 'colour'; readonly of: Description }
  | { readonly kind: 'leader'; readonly word: Superlative }
  | { readonly kind: 'which'; readonly relation: SceneRelation; readonly of: Description }
  | { readonly kind: 'where'; readonly a: Description; readonly b: Description }
  | { readonly kind: 'count'; readonly of: Description };

export interface Question {
  readonly text: string;
  readonly type: QuestionType;
  readonly meaning: QuestionMeaning;
  readonly answer: string;
}

const typeOf: Readonly<Record<QuestionMeaning['kind'], QuestionType>> = {
  exist: 'binary',
  compare: 'binary',
  colour: 'attribute',
  leader: 'object',
  which: 'object',
  where: 'relation',
  count: 'global',
};

const only = (scene: SceneGraph, description: Description): SceneObject | undefined => {
  const [found, another] = described(scene, description);
  return another === undefined ? found : undefined;
};

/** Where one object is, seen from another; nothing where it is to the side as much as above or below. */
function direction(scene: SceneGraph, a: SceneObject, b: SceneObject): string | undefined {
  const right = answersOf.relation.filter((word) => {
    const relation = sceneRelations.find((known) => known === word);
    return relation !== undefined && holds(scene, a, relation, b);
  });
  return right.length === 1 ? right[0] : undefined;
}

/** Answers a question from the scene graph; nothing where the question does not apply to the scene. */
export function answerTo(scene: SceneGraph, question: QuestionMeaning): string | undefined {
  switch (question.kind) {
    case 'exist':
      return described(scene, question.of).length > 0 ? 'yes' : 'no';
    case 'compare': {
      const [a, b] = [only(scene, question.a), only(scene, question.b)];
      if (a === undefined || b === undefined) return undefined;
      if (isLarger(a, b)) return 'yes';
      return isLarger(b, a) ? 'no' : undefined;
    }
    case 'colour':
      return only(scene, question.of)?.colour;
    case 'leader':
      return referents(scene, {
        noun: { kind: 'anything' },
        rank: { kind: 'superlative', word: question.word },
      })[0]?.concept;
    case 'which': {
      const [found, another] = referents(scene, {
        noun: { kind: 'anything' },
        relation: { word: question.relation, object: question.of },
      });
      return another === undefined ? found?.concept : undefined;
    }
    case 'where': {
      const [a, b] = [only(scene, question.a), only(scene, question.b)];
      return a === undefined || b === undefined ? undefined : direction(scene, a, b);
    }
    case 'count':
      return String(described(scene, question.of).length);
  }
  question satisfies never;
  return question;
}

/** A question as text. */
export function asked(question: QuestionMeaning): string {
  switch (question.kind) {
    case 'exist':
      return `is there ${some(words(question.of))}?`;
    case 'compare':
      return `is the ${words(question.a)} larger than the ${words(question.b)}?`;
    case 'colour':
      return `what colour is the ${words(question.of)}?`;
    case 'leader':
      return `what is the ${question.word} object?`;
    case 'which':
      return `what is ${question.relation} the ${words(question.of)}?`;
    case 'where':
      return `where is the ${words(question.a)}, seen from the ${words(question.b)}?`;
    case 'count':
      return `how many ${words(question.of, true)} are there?`;
  }
  question satisfies never;
  return question;
}

/**
 * The scenes that differ in one object: it is gone, it is another kind of object, it has another colour, or it is on the other side
 * of the picture.
 */
export function* editsOf(scene: SceneGraph): Generator<SceneGraph> {
  const { side, objects } = scene;
  for (const [index, object] of objects.entries()) {
    const instead = (...others: SceneObject[]): SceneGraph => ({
      side,
      objects: [...objects.slice(0, index), ...others, ...objects.slice(index + 1)],
    });
    yield instead();
    for (const { name, group } of sceneConcepts) {
      if (name !== object.concept) yield instead({ ...object, concept: name, group });
    }
    if (object.colour !== undefined) {
      for (const { name } of sceneColours)
        if (name !== object.colour) yield instead({ ...object, colour: name });
    }
    const { box, centre } = object;
    const mirrored = { ...box, left: side - box.right, right: side - box.left };
    yield instead({ ...object, box: mirrored, centre: { ...centre, x: side - centre.x } });
    const upturned = { ...box, top: side - box.bottom, bottom: side - box.top };
    yield instead({ ...object, box: upturned, centre: { ...centre, y: side - centre.y } });
  }
}

/** Whether some change of a single object gives another answer, so that the text alone does not say it. */
export function dependsOnPicture(scene: SceneGraph, question: QuestionMeaning): boolean {
  const answer = answerTo(scene, question);
  for (const edited of editsOf(scene)) {
    const other = answerTo(edited, question);
    if (other !== undefined && other !== answer) return true;
  }
  return false;
}

const pick = <Item>(items: readonly Item[], random: RandomStream): Item | undefined =>
  items[random.integer(items.length)];

/** An object, or a concept and a colour that may not be in the picture. */
function thing(scene: SceneGraph, random: RandomStream): Description {
  const object = pick(scene.objects, random);
  const absent = pick(sceneConcepts, random);
  if (object === undefined || absent === undefined || random.uniform() < 0.5) {
    const colour = absent?.recolourable === true ? pick(sceneColours, random)?.name : undefined;
    return {
      noun: { kind: 'concept', name: absent?.name ?? '' },
      colour: random.uniform() < 0.5 ? colour : undefined,
    };
  }
  const noun = { kind: 'concept', name: object.concept } as const;
  if (object.colour === undefined) return { noun };
  // Often one that is there in another colour: a harder question.
  return { noun, colour: random.uniform() < 0.5 ? object.colour : pick(sceneColours, random)?.name };
}

/** Draws the things to count: a concept, a group, all of one size or everything. */
function countable(scene: SceneGraph, random: RandomStream): Description {
  const kind = random.integer(4);
  const { group } = pick(scene.objects, random) ?? {};
  const anything: Noun = { kind: 'anything' };
  if (kind === 0) return { noun: anything, size: pick(sceneSizes, random)?.name };
  if (kind === 1 && group !== undefined) return { noun: { kind: 'group', name: group } };
  if (kind === 2) return thing(scene, random);
  return { noun: anything };
}

function drawnOf(kind: QuestionType, scene: SceneGraph, random: RandomStream): QuestionMeaning | undefined {
  const [first, second] = [...permutation(scene.objects.length, random)].map((index) => scene.objects[index]);
  const a = first === undefined ? undefined : shortest(scene, first);
  const b = second === undefined ? undefined : shortest(scene, second);
  switch (kind) {
    case 'binary':
      if (random.uniform() < 0.6) return { kind: 'exist', of: thing(scene, random) };
      return a === undefined || b === undefined ? undefined : { kind: 'compare', a, b };
    case 'attribute': {
      if (first?.colour === undefined) return undefined;
      return { kind: 'colour', of: { noun: { kind: 'concept', name: first.concept } } };
    }
    case 'object':
      if (random.uniform() < 0.4) return { kind: 'leader', word: pick(superlatives, random) ?? 'largest' };
      return a === undefined
        ? undefined
        : { kind: 'which', relation: pick(sceneRelations, random) ?? 'next to', of: a };
    case 'relation':
      return a === undefined || b === undefined ? undefined : { kind: 'where', a, b };
    case 'global':
      return { kind: 'count', of: countable(scene, random) };
  }
  kind satisfies never;
  return kind;
}

/** Tries for a question of a type. */
const MOST_TRIES = 8;

/**
 * Draws questions of each type about a scene, none twice, that some change of one object would answer differently. Their answers are
 * not yet balanced: a pool does that.
 * @param most Questions of each type.
 */
export function questionsOf(scene: SceneGraph, most: number, random: RandomStream): Question[] {
  return questionTypes.flatMap((type) => {
    const found = new Map<string, Question>();
    for (let left = MOST_TRIES * most; left > 0 && found.size < most; left--) {
      const meaning = drawnOf(type, scene, random);
      const answer = meaning === undefined ? undefined : answerTo(scene, meaning);
      if (meaning === undefined || answer === undefined || !dependsOnPicture(scene, meaning)) continue;
      const text = asked(meaning);
      found.set(text, { text, type: typeOf[meaning.kind], meaning, answer });
    }
    return [...found.values()];
  });
}
