import { randomStream } from '../random/random';

/** Groups of the pictures and texts of a batch. */
export interface Grouped {
  readonly imageGroups: Int32Array;
  readonly textGroups: Int32Array;
}

/** For each text, a picture and a text that are not its own. */
export interface Negatives {
  /** Another picture, by its place. */
  readonly pictures: readonly number[];
  /** A text that is not of its picture, by its place. */
  readonly texts: readonly number[];
}

/**
 * Draws for each text another picture, and for its picture another text, by the softmax of how alike they are (Li et al., 2022, BLIP,
 * Section 3.2; Li et al., 2021, ALBEF). Those of the own group are never drawn. The same batch with the same logits draws the same.
 * @param logits Similarities [B, M], row-major.
 * @returns nothing where all are of one group.
 */
export function hardNegatives(
  logits: Float32Array | Int32Array | Uint8Array,
  { imageGroups, textGroups }: Grouped,
): Negatives | undefined {
  const texts = textGroups.length;
  const random = randomStream(0, 'hard negatives', [...textGroups].join());
  const draw = (values: readonly number[], isOther: (place: number) => boolean): number | undefined => {
    const others = [...values.keys()].filter(isOther);
    const greatest = others.reduce((most, place) => Math.max(most, values[place] ?? most), -Infinity);
    const weights = others.map((place) => Math.exp((values[place] ?? NaN) - greatest));
    let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    const found = weights.findIndex((weight) => (left -= weight) < 0);
    return others[found] ?? others.at(-1);
  };
  const pictures: number[] = [];
  const others: number[] = [];
  for (const [text, group] of textGroups.entries()) {
    const own = imageGroups.indexOf(group);
    const column = Array.from(imageGroups, (_, picture) => logits[picture * texts + text] ?? NaN);
    const row = Array.from(textGroups, (_, other) => logits[own * texts + other] ?? NaN);
    const picture = draw(column, (place) => imageGroups[place] !== group);
    const other = draw(row, (place) => textGroups[place] !== group);
    if (picture === undefined || other === undefined) return undefined;
    pictures.push(picture);
    others.push(other);
  }
  return { pictures, texts: others };
}
