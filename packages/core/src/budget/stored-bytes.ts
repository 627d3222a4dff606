import { type ParameterMask, keptCount, maskSize } from '../mask/parameter-mask';
import { type Model, isMasked } from '../families/model';
import { type ParameterSpec, sizeOf } from '../layers/parameter';
import { entriesOf } from '../tree/tree';

const BYTES_PER_VALUE = 4;
const BITS_PER_WORD = 32;

/** The way in which the places of a matrix's surviving weights are written: a bit for every weight, or a number for each survivor. */
export interface SparseEncoding {
  readonly kind: 'bitmap' | 'indices';
  /** 32-bit words of the places alone. */
  readonly words: number;
}

/** The shorter of the two; the bitmap where they are equal. */
export function sparseEncoding(mask: ParameterMask): SparseEncoding {
  const [bitmap, indices] = [Math.ceil(maskSize(mask) / BITS_PER_WORD), keptCount(mask)];
  return indices < bitmap ? { kind: 'indices', words: indices } : { kind: 'bitmap', words: bitmap };
}

/**
 * Bytes of a model's weights on disk, without the header of their file: four for a parameter; of a masked parameter four
 * for each weight that is left, and what says where they are.
 */
export function storedBytes({ config, specs }: Pick<Model, 'config' | 'specs'>): number {
  const masks = isMasked(config) ? config.masks : {};
  return entriesOf<ParameterSpec>(specs).reduce((total, [path, spec]) => {
    const mask = masks[path];
    const words = mask === undefined ? sizeOf(spec) : keptCount(mask) + sparseEncoding(mask).words;
    return total + BYTES_PER_VALUE * words;
  }, 0);
}
