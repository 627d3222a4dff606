import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { replaceSum } from './column-sum';
import { replaceElementwiseKernels } from './elementwise';
import { replaceMatrixProduct } from './matrix-product';
import { replaceRowKernels } from './rows';
import { SimdPrograms } from './simd';
import { replaceBroadcastingKernels, replaceCopyingKernels } from './strided-copy';

/** Gives the backend the kernels that it lacks or has only in a slow form, as far as training a transformer needs them. */
export function tuneKernels(backend: BackendWasm): void {
  const simd = new SimdPrograms(backend);
  replaceMatrixProduct(simd);
  replaceElementwiseKernels(simd);
  replaceSum(simd);
  replaceCopyingKernels();
  replaceBroadcastingKernels();
  replaceRowKernels();
}
