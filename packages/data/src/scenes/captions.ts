import { type RandomStream, permutation } from '@winnow/core';
import type { GroundedSpan } from './expressions';
import { type Description, described, some, words } from './phrase';
import { type SceneRelation, holds, sceneRelations } from './relations';
import type { SceneGraph, SceneObject } from './scene';

/** A sentence about a picture, and which of its words name which objects. */
export interface Caption {
  readonly text: string;
  readonly meaning: CaptionMeaning;
  readonly spans: readonly GroundedSpan[];
}

/** Two or three different objects, of which the first has a relation to the second. */
export interface CaptionMeaning {
  readonly mentioned: readonly Description[];
  readonly relation: SceneRelation;
}

/** Whether there are different objects in the scene that a caption fits. */
export function isTrue(scene: SceneGraph, { mentioned, relation }: CaptionMeaning): boolean {
  const [first, second, third] = mentioned.map((description) => described(scene, description));
  if (first === undefined || second === undefined) return false;
  return first.some((a) =>
    second.some(
      (b) =>
        a !== b &&
        holds(scene, a, relation, b) &&
        (third === undefined || third.some((c) => c !== a && c !== b)),
    ),
  );
}

/** Text with marks: `{0}` is the first object mentioned, `{r}` the relation. */
interface Template {
  readonly text: string;
  readonly mentions: 2 | 3;
}

/** The five captions of a scene have one each. */
const templates: readonly Template[] = [
  { text: '{0} {r} {1}', mentions: 2 },
  { text: 'there is {0} {r} {1}', mentions: 2 },
  { text: 'a picture of {0} {r} {1}', mentions: 2 },
  { text: '{0} {r} {1} and also {2}', mentions: 3 },
  { text: 'we see {2}, and {0} {r} {1}', mentions: 3 },
];

const inverse: Readonly<Record<SceneRelation, SceneRelation | undefined>> = {
  'left of': 'right of',
  'right of': 'left of',
  above: 'below',
  below: 'above',
  'next to': undefined,
};

function filled(
  { text: template }: Template,
  mentioned: readonly { readonly index: number; readonly description: Description }[],
  relation: SceneRelation,
): Pick<Caption, 'text' | 'spans'> {
  const spans: GroundedSpan[] = [];
  let text = '';
  for (const part of template.split(/(\{[012r]\})/)) {
    const mark = /^\{(.)\}$/.exec(part)?.[1];
    const said = mark === undefined || mark === 'r' ? undefined : mentioned[Number(mark)];
    const start = text.length;
    if (said === undefined) text += mark === 'r' ? relation : part;
    else {
      text += some(words(said.description));
      spans.push({ start, end: text.length, objects: [said.index] });
    }
  }
  return { text, spans };
}

/** The share of the first rounds in which a size is said; later ones always say it, to be true of fewer scenes. */
const SAYS_SIZE = 0.5;
const LOOSE_ROUNDS = 2;

/** The noun with the colour, and with the size at a chance. */
const descriptionOf = (object: SceneObject, saysSize: number, random: RandomStream): Description => ({
  noun: { kind: 'concept', name: object.concept },
  colour: object.colour,
  size: random.uniform() < saysSize ? object.size : undefined,
});

/** Pairs with a relation between them, each said from one of the two sides. */
function related(scene: SceneGraph, random: RandomStream) {
  const { objects } = scene;
  return objects.flatMap((a, first) =>
    objects.flatMap((b, second) =>
      sceneRelations.flatMap((relation) => {
        if (a === b || !holds(scene, a, relation, b)) return [];
        const other = inverse[relation];
        return other !== undefined && random.uniform() < 0.5
          ? [{ first: second, second: first, relation: other }]
          : [{ first, second, relation }];
      }),
    ),
  );
}

/**
 * Draws captions of a scene, of each template in turn, in a random order of its objects: candidates, from which a pool takes those
 * that are true of one scene alone.
 * @param rounds Captions of each template, at most.
 * @returns none for a scene without any relation.
 */
export function captionsOf(scene: SceneGraph, rounds: number, random: RandomStream): Caption[] {
  const pairs = related(scene, random);
  const found = new Map<string, Caption>();
  for (let round = 0; round < rounds; round++) {
    const saysSize = round < LOOSE_ROUNDS ? SAYS_SIZE : 1;
    for (const template of templates) {
      const pair = pairs[random.integer(Math.max(1, pairs.length))];
      if (pair === undefined) return [];
      const others = [...permutation(scene.objects.length, random)].filter(
        (index) => index !== pair.first && index !== pair.second,
      );
      const indices = [pair.first, pair.second, ...others.slice(0, template.mentions - 2)];
      const mentioned = indices.flatMap((index) => {
        const object = scene.objects[index];
        return object === undefined ? [] : [{ index, description: descriptionOf(object, saysSize, random) }];
      });
      if (mentioned.length < template.mentions) continue;
      const caption = {
        ...filled(template, mentioned, pair.relation),
        meaning: { mentioned: mentioned.map(({ description }) => description), relation: pair.relation },
      };
      if (!found.has(caption.text)) found.set(caption.text, caption);
    }
  }
  return [...found.values()];
}
