import type { Checkpoint, JsonFile } from '../../checkpoint/checkpoint';
import { FormatError } from '../../file/format-error';

/**
 * The `config.json` that every checkpoint of Hugging Face has.
 * @throws {FormatError} when this one has none.
 */
export function configOf({ file, config }: Checkpoint): JsonFile {
  if (config !== undefined) return config;
  throw new FormatError(`${file}: expected a config.json beside this Hugging Face checkpoint, got none`);
}
