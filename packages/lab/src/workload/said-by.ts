import { UserError } from '@winnow/core';
import { type Tokenizer, speakerOf } from '@winnow/data';

/** Makes the function from tokens to a text. @throws {UserError} for a tokenizer whose texts cannot be put together. */
export function saidBy(tokenizer: Tokenizer): (tokens: readonly number[]) => string {
  try {
    return speakerOf(tokenizer);
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`--tokenizer: ${error.message}`);
    throw error;
  }
}
