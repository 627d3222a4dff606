import { readYaml } from '@winnow/formats';
import { type GivenOptions, givenValues } from '@winnow/lab';

/**
 * Options from a YAML or JSON file; JSON is YAML.
 * @throws {FormatError} when the file cannot be read or does not hold options by name.
 */
export const readConfigFile = (file: string): Promise<GivenOptions> =>
  readYaml(file, { schema: givenValues, what: 'options by name, like "batchSize: 64"' });
