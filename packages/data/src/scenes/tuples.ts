import { sceneColours, sceneConcepts, sceneSizes } from './concepts';
import { sceneRelations } from './relations';

const oneOf = (names: readonly string[]): string =>
  [...names].sort((one, other) => other.length - one.length).join('|');

const phrase = `an? (?:(${oneOf(sceneSizes.map(({ name }) => name))}) )?(?:(${oneOf(sceneColours.map(({ name }) => name))}) )?(${oneOf(sceneConcepts.map(({ name }) => name))})`;
const PHRASE = new RegExp(`\\b${phrase}\\b`, 'g');
const RELATION = new RegExp(`^ (${oneOf(sceneRelations)}) $`);

/**
 * Lists what a caption of a scene says, by the grammar that captions are made of: its objects, their sizes and colours, and relations between
 * neighbouring ones, a line each. What the grammar does not know says nothing.
 */
export function sceneTuples(caption: string): string[] {
  const found = [...caption.toLowerCase().matchAll(PHRASE)];
  return found.flatMap(([text, size, colour, noun = ''], index) => {
    const match = found[index];
    const next = found[index + 1];
    const between =
      match === undefined || next === undefined
        ? ''
        : caption.toLowerCase().slice(match.index + text.length, next.index);
    const relation = RELATION.exec(between)?.[1];
    return [
      noun,
      ...(size === undefined ? [] : [`${noun} is ${size}`]),
      ...(colour === undefined ? [] : [`${noun} is ${colour}`]),
      ...(relation === undefined ? [] : [`${noun} is ${relation} ${next?.[3] ?? ''}`]),
    ];
  });
}
