import { replaceKernel, addressOf, sizeOf } from './kernel';
import type { SimdPrograms } from './simd';

/**
 * Erf, Exp and Tanh call libm once per number in the backend. Four numbers at a time, for 1088 × 384 numbers:
 * Erf 13.0 → 3.0 ms, Exp 5.6 → 1.7 ms, Tanh 14.4 → 1.1 ms.
 */
const programs = [
  { kernelName: 'Erf', programName: 'erf' },
  { kernelName: 'Exp', programName: 'exp' },
  { kernelName: 'Tanh', programName: 'tanh' },
] as const;

export function replaceElementwiseKernels(simd: SimdPrograms): void {
  for (const { kernelName, programName } of programs) {
    const program = simd.program(programName);
    replaceKernel(kernelName, (call) => {
      const x = call.input('x');
      if (x.dtype !== 'float32') return call.original();
      const out = call.backend.makeOutput(x.shape, 'float32');
      program(addressOf(call.backend, x), addressOf(call.backend, out), sizeOf(x));
      return out;
    });
  }
}
