import { type DenseConfig, type ParameterSpec, checkDecision, entriesOf, modelOf } from '@winnow/core';
import { towersOf } from '../checkpoint/towers';
import { FormatError } from '../file/format-error';
import type { OpenSafetensors } from '../safetensors/open-safetensors';

/** A block has two norms with a weight and a bias each: no cut and no sharing takes them. */
const FEWEST_TENSORS_OF_BLOCK = 4;

/**
 * The parameters that a configuration speaks of. Nothing is built for blocks that the weights cannot have.
 * @throws {FormatError} when there are too many blocks for the tensors that are stored, or the configuration makes no model.
 */
export function specsOf(
  config: DenseConfig,
  { file, entries }: Pick<OpenSafetensors, 'file' | 'entries'>,
  structure: string,
): readonly (readonly [path: string, spec: ParameterSpec])[] {
  const blocks = towersOf(config).reduce((total, tower) => total + tower.blocks.length, 0);
  if (FEWEST_TENSORS_OF_BLOCK * blocks > entries.length) {
    throw new FormatError(
      `${file}: expected the tensors of ${blocks} blocks, as ${structure} says, got ${entries.length} tensors in all`,
    );
  }
  try {
    checkTies(config);
    return entriesOf<ParameterSpec>(modelOf(config).specs);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FormatError(`${structure}: at model: ${error.message}`, { cause: error });
  }
}

/** @throws {RangeError} when columns are shared as no decision shares them. */
function checkTies(config: DenseConfig): void {
  if (config.ties === undefined) return;
  const { ties, ...untied } = config;
  // Sharing leaves a site with the columns that it shows; the letters are those of all that it had.
  const sites = modelOf(untied).sites.map((site) => ({ ...site, units: ties[site.id]?.units ?? site.units }));
  checkDecision({ version: 1, sites: ties }, sites);
}
