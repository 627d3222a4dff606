import { util } from '@tensorflow/tfjs-core';
import { addressOf, numbersOf, replaceKernel } from './kernel';
import type { SimdPrograms } from './simd';
import { SUM_COLUMNS } from './simd-programs';

/**
 * The backend sums over first axes, as bias gradients do, by transposing first. Adding rows onto each other, over axis 0
 * of [1088, 384]: 1.4 → 0.1 ms.
 */
export function replaceSum(simd: SimdPrograms): void {
  const columnSums = simd.program('columnSums');
  replaceKernel('Sum', (call) => {
    const { backend } = call;
    const x = call.input('x');
    // No axes mean all of them.
    if (call.attributes['axis'] === undefined || call.attributes['axis'] === null) return call.original();
    const axes = util.parseAxisParam(numbersOf(call, 'axis'), x.shape);
    const kept = x.shape.slice(axes.length);
    const [rows, columns] = [util.sizeFromShape(x.shape.slice(0, axes.length)), util.sizeFromShape(kept)];
    const areFirst =
      axes.length > 0 && new Set(axes).size === axes.length && Math.max(...axes) === axes.length - 1;
    if (x.dtype !== 'float32' || !areFirst || rows === 0 || columns < SUM_COLUMNS) return call.original();

    const keepsAxes = call.attributes['keepDims'] === true;
    const out = backend.makeOutput(keepsAxes ? [...axes.map(() => 1), ...kept] : kept, 'float32');
    columnSums(addressOf(backend, x), addressOf(backend, out), rows, columns);
    return out;
  });
}
