import { UserError } from '@winnow/core';
import { type Tokenizer, openTokenizer } from '@winnow/data';
import type { OpenedModel } from './open-model';

/**
 * The tokenizer that stands beside a model.
 * @param who Goes before the message, where that is a command or a flag.
 * @throws {UserError} where there is none.
 */
export function givenTokenizer(
  { tokenizerPath }: Pick<OpenedModel, 'tokenizerPath'>,
  who?: string,
): Promise<Tokenizer> {
  if (tokenizerPath !== undefined) return openTokenizer(tokenizerPath);
  const name = who === undefined ? '' : `${who}: `;
  throw new UserError(
    `${name}the model has no tokenizer.json (nor spiece.model) beside it: put the one that it was trained with there`,
  );
}
