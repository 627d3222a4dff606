import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, replaceKernel, reshaped, runOriginal, type KernelCall } from './kernel';
import type { SimdProgram, SimdPrograms } from './simd';
import { BLOCK_COLUMNS, BLOCK_ROWS } from './simd-programs';

/**
 * The backend hands a product to XNNPACK only if it is one product (no batch) and nothing is transposed; all else runs
 * in a plain loop, which is what gradients and attention need. Here operands are transposed first (cheap), batched rows
 * against one matrix become one product, and batches of products run in our SIMD program.
 *
 *   [1088,384]·[96,384]ᵀ      39.6 → 3.4 ms      [256,17,32]·[256,17,32]ᵀ   2.5 → 0.4 ms
 *   [1088,96]ᵀ·[1088,384]     39.5 → 3.2 ms      [256,17,17]·[256,17,32]    3.7 → 0.3 ms
 */
export function replaceMatrixProduct(simd: SimdPrograms): void {
  const matrixProduct = simd.program('matrixProduct');
  const packedAs = new WeakMap<object, string>();
  replaceKernel('BatchMatMul', (call) => {
    const product = productOf(call);
    if (product === undefined) return call.original();
    const { batchA, batchB, transposeA, m, n } = product;
    if (batchB === 1 && (batchA === 1 || !transposeA)) return oneProduct(product, packedAs);
    if (m < BLOCK_ROWS || n < BLOCK_COLUMNS) return call.original();
    return manyProducts(product, matrixProduct);
  });
}

/** a[batchA, m, k] · b[batchB, k, n], before transposition; the batches are the same or one of them is 1. */
interface Product {
  readonly backend: BackendWasm;
  readonly a: TensorInfo;
  readonly b: TensorInfo;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly batchShape: number[];
  readonly batchA: number;
  readonly batchB: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Undefined for what is left to the backend: other types, empty tensors, batches that broadcast along some axes. */
function productOf(call: KernelCall): Product | undefined {
  const { backend } = call;
  const [a, b] = [call.input('a'), call.input('b')];
  const transposeA = call.attributes['transposeA'] === true;
  const transposeB = call.attributes['transposeB'] === true;
  const [rowsA = 0, columnsA = 0] = a.shape.slice(-2);
  const [rowsB = 0, columnsB = 0] = b.shape.slice(-2);
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [kOfB, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  const [batchShapeA, batchShapeB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [batchA, batchB] = [util.sizeFromShape(batchShapeA), util.sizeFromShape(batchShapeB)];

  const isFloat = a.dtype === 'float32' && b.dtype === 'float32';
  const isEmpty = batchA * batchB * m * n * k === 0;
  const isPlain = util.arraysEqual(batchShapeA, batchShapeB) || batchA === 1 || batchB === 1;
  if (!isFloat || isEmpty || !isPlain || k !== kOfB) return undefined;
  const ranksFirst =
    batchShapeA.length === batchShapeB.length ? batchA >= batchB : batchShapeA.length > batchShapeB.length;
  const batchShape = ranksFirst ? batchShapeA : batchShapeB;
  if (util.sizeFromShape(batchShape) !== Math.max(batchA, batchB)) return undefined;
  return { backend, a, b, transposeA, transposeB, batchShape, batchA, batchB, m, n, k };
}

/** One matrix on the right: XNNPACK. */
function oneProduct(product: Product, packedAs: WeakMap<object, string>): TensorInfo {
  const { backend, a, b, transposeA, transposeB, batchShape, batchA, m, n, k } = product;
  const left = transposeA ? transposed(backend, a, [1, k, m]) : reshaped(backend, a, [1, batchA * m, k]);
  let right = transposeB ? transposed(backend, b, [1, n, k]) : reshaped(backend, b, [1, k, n]);

  // XNNPACK finds what it has packed by the tensor's data, blind to its shape: packed as [2, 3], the same numbers
  // reshaped to [3, 2] would be multiplied as [2, 3]. A copy is data of its own.
  const shape = `${k}x${n}`;
  const packed = packedAs.get(right.dataId) ?? shape;
  if (packed !== shape) {
    const copy = runOriginal('Slice', backend, { x: right }, { begin: [0, 0, 0], size: [1, k, n] });
    backend.disposeData(right.dataId);
    right = copy;
  }
  packedAs.set(right.dataId, shape);

  const attributes = { transposeA: false, transposeB: false };
  const out = runOriginal('BatchMatMul', backend, { a: left, b: right }, attributes);
  backend.disposeData(left.dataId);
  backend.disposeData(right.dataId);
  out.shape = [...batchShape, m, n];
  return out;
}

/** A matrix on the right for each on the left, or for the only one there: our SIMD program, once per product. */
function manyProducts(product: Product, matrixProduct: SimdProgram): TensorInfo {
  const { backend, a, b, transposeA, transposeB, batchShape, batchA, batchB, m, n, k } = product;
  const right = transposeB ? transposed(backend, b, [batchB, n, k]) : reshaped(backend, b, [batchB, k, n]);
  const out = backend.makeOutput([...batchShape, m, n], 'float32');
  const [aAddress, bAddress, outAddress] = [
    addressOf(backend, a),
    addressOf(backend, right),
    addressOf(backend, out),
  ];
  const [aBytes, bBytes] = [batchA === 1 ? 0 : 4 * m * k, batchB === 1 ? 0 : 4 * k * n];
  const [aRowBytes, aColumnBytes] = transposeA ? [4, 4 * m] : [4 * k, 4];
  for (let index = 0; index < Math.max(batchA, batchB); index++) {
    const outNow = outAddress + index * 4 * m * n;
    matrixProduct(
      aAddress + index * aBytes,
      bAddress + index * bBytes,
      outNow,
      m,
      n,
      k,
      aRowBytes,
      aColumnBytes,
    );
  }
  backend.disposeData(right.dataId);
  return out;
}

/** [batch, rows, columns] → [batch, columns, rows], in memory. */
function transposed(backend: BackendWasm, x: TensorInfo, shape: [number, number, number]): TensorInfo {
  const x3d = reshaped(backend, x, shape);
  const out = runOriginal('Transpose', backend, { x: x3d }, { perm: [0, 2, 1] });
  backend.disposeData(x3d.dataId);
  return out;
}
