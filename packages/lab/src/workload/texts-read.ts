import type { PicturePreparation, PictureSize, Splits } from '@winnow/core';
import { TOKENIZER_FILE, preprocessorFiles } from '../model-source/companions';
import { type ReaderKind, type TextScoring, type TextsToRead, textNotes } from './text-notes';
import { type Workload, sizesOf } from './workload';

/** Data of pictures with texts, whatever is asked about them. */
type PicturesWithTexts = Splits<unknown> &
  TextsToRead & {
    readonly name: string;
    readonly imageSize: PictureSize;
    readonly notes: readonly string[];
    duplicates(): Promise<readonly string[]>;
  };

/** The parts of a workload that all data of pictures with texts have in common. */
export function withTexts(
  data: PicturesWithTexts,
  reader: ReaderKind,
  preparation: PicturePreparation | undefined,
  scoring: TextScoring = 'alone',
): Pick<Workload, keyof Splits<unknown> | 'facts' | 'origin' | 'notesOn' | 'companions'> {
  const { name, imageSize, tokenizer, train, validation, test } = data;
  return {
    train,
    validation,
    test,
    facts: { name, ...sizesOf(data) },
    origin: { data: name },
    notesOn: async (splits) => [
      ...data.notes,
      ...(splits.length > 1 ? await data.duplicates() : []),
      ...textNotes(data, splits, reader, scoring),
    ],
    companions: {
      [TOKENIZER_FILE]: `${JSON.stringify(tokenizer.file)}\n`,
      ...preprocessorFiles(preparation, imageSize),
    },
  };
}
