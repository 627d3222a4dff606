import { square } from '@tensorflow/tfjs-core';
import { mapTree, tidyTree, unitSums } from '@winnow/core';
import { weightRanker } from './ranker';

/** The score of each of some squared norms: its share of all that are as large or larger. */
export function lampScores(squares: ArrayLike<number>): Float64Array {
  const order = Array.from(squares, (_, unit) => unit).sort((a, b) => (squares[b] ?? 0) - (squares[a] ?? 0));
  const scores = new Float64Array(squares.length);
  let larger = 0;
  for (const unit of order) {
    const own = squares[unit] ?? NaN;
    larger += own;
    scores[unit] = larger > 0 ? own / larger : 0;
  }
  return scores;
}

/** ‖w‖² of a unit over the sum of those of its site that are not smaller (Equation 4, of units in place of weights). */
export const lamp = weightRanker(
  {
    name: 'lamp',
    title: 'Layer-adaptive magnitude',
    paper:
      'Lee et al., Layer-adaptive Sparsity for the Magnitude-based Pruning, ICLR 2021; here of whole units',
    summary: 'units of small weights beside those of their site that stay',
    scope: 'global',
    scale: 'none',
  },
  (site, { params }) => {
    const { sums } = tidyTree(() => ({
      sums: unitSums(
        site,
        mapTree(params, (leaf) => square(leaf)),
      ),
    }));
    const squares = Float64Array.from(sums.dataSync<'float32'>());
    sums.dispose();
    return lampScores(squares);
  },
);
