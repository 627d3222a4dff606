import type { Model } from '../families/model';
import { pathWithin } from '../tree/path';
import { type Shaped, entriesOf } from '../tree/tree';

/** A matrix whose weights can be pruned one by one. */
export interface PrunableMatrix {
  /** Its path in the model's record: `blocks.3.attention.query.weight`. */
  readonly parameter: string;
  /** Its path within its tower, which is the same in every model: `blocks.3.attention.query.weight`; else `projection`. */
  readonly inTower: string;
  /** [in, out]. */
  readonly shape: readonly [number, number];
  /** The modality: `vision`, `text`. */
  readonly tower: string;
  /** Undefined for what stands after the blocks. */
  readonly layer: number | undefined;
  /** `query`, `key`, `value`, `output`, `expand`, `contract` or `projection`. */
  readonly part: string;
}

/**
 * The matrices that lottery tickets prune: q, k, v, attention-out, FFN-in and FFN-out of every layer of every tower, and
 * what projects a tower's output. Not embeddings, patch projection, norms, biases and task heads
 * (shared/specs/lottery-ticket.md, Scope).
 */
export function prunableMatrices(model: Pick<Model, 'sites' | 'specs' | 'readout'>): PrunableMatrix[] {
  const shapes = new Map(entriesOf<Shaped>(model.specs).map(([path, { shape }]) => [path, shape]));
  const inBlocks = model.sites.flatMap(({ tower, towerPath, layer, couplings }) =>
    couplings.map(({ parameter, part }) => ({
      parameter,
      inTower: pathWithin(towerPath, parameter) ?? parameter,
      tower,
      layer,
      part,
    })),
  );
  const after = model.readout.projections.map(({ parameter, tower }) => ({
    parameter,
    inTower: 'projection',
    tower,
    layer: undefined,
    part: 'projection',
  }));
  return [...inBlocks, ...after].flatMap((matrix) => {
    const [rows, columns, ...more] = shapes.get(matrix.parameter) ?? [];
    if (rows === undefined || columns === undefined || more.length > 0) return [];
    return [{ ...matrix, shape: [rows, columns] as const }];
  });
}

/** The number of weights in matrices. */
export const weightCount = (matrices: readonly Pick<PrunableMatrix, 'shape'>[]): number =>
  matrices.reduce((total, { shape: [rows, columns] }) => total + rows * columns, 0);
