import { type Augmentation, type Dataset, type PairBatch, permutation, randomStream } from '@winnow/core';
import type { PreparedPictures } from '../picture/prepared';
import { encodeAll } from '../tokenizer/encode-all';
import type { Tokenizer } from '../tokenizer/tokenizer';
import type { PairGroup } from './group';

export interface PairDatasetOptions {
  readonly pictures: Pick<PreparedPictures, 'batch'>;
  readonly tokenizer: Tokenizer;
  /** Longest text, in tokens with start and end. */
  readonly context: number;
  /** Fills every text up to the context; else the longest of a batch decides. */
  readonly fillsContext?: boolean;
}

/**
 * Which of a group's `items` has its turn in an epoch: every n epochs walk once through all n of them, in an order
 * drawn anew. Pictures and texts are drawn apart, so that in time each picture meets each text of its group.
 */
function inTurn<Item>(
  items: readonly Item[],
  kind: 'picture' | 'text',
  group: number,
  { seed, epoch }: Augmentation,
): readonly Item[] {
  const round = Math.floor(epoch / items.length);
  const order = permutation(items.length, randomStream(seed, kind, group, round));
  const turn = order[epoch % items.length] ?? 0;
  return items.slice(turn, turn + 1);
}

/**
 * A dataset whose examples are groups. For training (with an augmentation) a batch has one picture and one text of each
 * group, by turns; for evaluation all of them. A group's number is its index in the dataset.
 * Batches fail with a {@link DataError} that names a broken file, or a {@link RangeError} for an index out of range.
 */
export function pairDataset(
  groups: readonly PairGroup[],
  { pictures, tokenizer, context, fillsContext = false }: PairDatasetOptions,
): Dataset<PairBatch> {
  const at = (index: number): PairGroup => {
    const group = groups[index];
    if (group === undefined) throw new RangeError(`expected an index below ${groups.length}, got ${index}`);
    return group;
  };
  return {
    size: groups.length,
    batch: async (indices: readonly number[], augmentation?: Augmentation): Promise<PairBatch> => {
      const members = <Item>(kind: 'picture' | 'text', of: (group: PairGroup) => readonly Item[]) =>
        indices.flatMap((group) => {
          const items = of(at(group));
          const chosen = augmentation === undefined ? items : inTurn(items, kind, group, augmentation);
          return chosen.map((item) => ({ item, group }));
        });
      const shown = members('picture', (group) => group.pictures);
      const said = members('text', (group) => group.texts);
      const images = await pictures.batch(
        shown.map(({ item, group }) => ({ path: item, example: group })),
        augmentation,
      );
      const { tokens } = encodeAll(
        tokenizer,
        said.map(({ item }) => item),
        context,
        { fillsContext },
      );
      return {
        size: shown.length,
        images,
        imageGroups: Int32Array.from(shown, ({ group }) => group),
        texts: said.length,
        tokens,
        textGroups: Int32Array.from(said, ({ group }) => group),
      };
    },
  };
}
