import { permutation, randomStream } from '../random/random';
import type { Grouped } from './hard-negatives';

/**
 * Draws for each text others that are not of its picture, and for its picture others, each at most once. The same batch draws the same.
 * @param most Of each; as many fewer as the batch has.
 */
export function othersOf(
  { imageGroups, textGroups }: Grouped,
  most: number,
): { readonly texts: readonly (readonly number[])[]; readonly pictures: readonly (readonly number[])[] } {
  const random = randomStream(0, 'others', [...textGroups].join());
  const drawn = (groups: Int32Array): (readonly number[])[] => {
    const all = Array.from(textGroups, (own) =>
      [...permutation(groups.length, random)].filter((place) => groups[place] !== own),
    );
    const count = all.reduce((fewest, { length }) => Math.min(fewest, length), most);
    return all.map((places) => places.slice(0, count));
  };
  return { texts: drawn(textGroups), pictures: drawn(imageGroups) };
}
