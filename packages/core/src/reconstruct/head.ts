import { type Tensor2D, dispose, keep, sub } from '@tensorflow/tfjs-core';
import { matrixFrom } from '../algebra/matrix';
import { resultOf } from '../layers/observe';
import { type ColumnMoments, columnMoments, withRows } from '../statistics/moments';
import { disposeTree, tidyTree } from '../tree/tree';
import { hostMatrix } from './host';
import type { Stream } from './stream';
import type { ChangingWeights } from './weights';

/** Corrects the biases of a model's heads, so that on average each says what the dense model's says. */
export async function correctHeads(
  heads: readonly string[],
  taps: readonly string[],
  streams: { readonly dense: Stream; readonly cut: Stream },
  cut: ChangingWeights,
): Promise<void> {
  const shown = heads.filter((head) => cut.has(`${head}.bias`) && taps.includes(resultOf(head)));
  for (const head of shown) {
    const tap = resultOf(head);
    const wanted: Tensor2D[][] = [];
    let errors: ColumnMoments = columnMoments(cut.leaf(`${head}.bias`).size);
    try {
      await streams.dense.run({}, [tap], ({ at }) => {
        wanted.push(at(tap).map(({ values }) => keep(values.clone())));
      });
      await streams.cut.run({}, [tap], ({ at }, batch) => {
        const before = errors;
        errors = tidyTree(() =>
          at(tap).reduce((moments, { values }, use) => {
            const target = wanted[batch]?.[use];
            return target === undefined ? moments : withRows(moments, { values: sub(target, values) });
          }, before),
        );
        disposeTree(before);
      });
      const bias = await cut.read(`${head}.bias`);
      const shift = await hostMatrix(errors.mean);
      const moved = bias.values.map((value, i) => value + (shift.values[i] ?? 0));
      cut.write(`${head}.bias`, matrixFrom(moved, 1, moved.length));
    } finally {
      dispose(wanted.flat());
      disposeTree(errors);
    }
  }
}
