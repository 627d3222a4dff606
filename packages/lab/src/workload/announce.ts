import { type SplitName, type Workload, everySplit } from './workload';

const counted = (number: number): string => number.toLocaleString('en');

/**
 * Says which data was found, before anything is done with it: how much of it, what was passed over, and what is to be known
 * of the splits that are used.
 * @param note Told each line.
 */
export async function announceData(
  { facts, notesOn }: Pick<Workload, 'facts' | 'notesOn'>,
  note: (line: string) => void,
  splits: readonly SplitName[] = everySplit,
): Promise<void> {
  const { name, shows = 'texts', classes, train, validation, test } = facts;
  const of = classes === undefined ? `pictures with ${shows}` : `pictures of ${counted(classes)} classes`;
  note(
    `${name}: ${of}, ${counted(train)} for training, ${counted(validation)} for validation, ${counted(test)} for the test`,
  );
  for (const line of await notesOn(splits)) note(`${name}: ${line}`);
}
