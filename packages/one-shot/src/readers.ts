import { square } from '@tensorflow/tfjs-core';
import { type Site, type TensorTree, consumerOf, entriesOf, tidyTree, unitSums } from '@winnow/core';

/**
 * ‖w_out‖² of every column of a site: the row of the matrix that reads it.
 * @throws {RangeError} when nothing reads the site's units.
 */
export function readerNorms(site: Site, params: TensorTree): Float32Array {
  const reader = consumerOf(site);
  const weight = new Map(entriesOf(params)).get(reader.parameter);
  if (weight === undefined) throw new RangeError(`the model has no parameter ${reader.parameter}`);
  // As if every column were a unit of its own.
  const apart = { ...site, units: weight.shape[0] ?? 0, couplings: [{ ...reader, copies: 1 }] };
  const { norms } = tidyTree(() => ({ norms: unitSums(apart, { [reader.parameter]: square(weight) }) }));
  const found = Float32Array.from(norms.dataSync<'float32'>());
  norms.dispose();
  return found;
}
