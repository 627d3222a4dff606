import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { assemble } from './assembler';
import { simdPrograms } from './simd-programs';

/** The types of Node leave WebAssembly out, and those of the browser bring all of the DOM. */
declare const WebAssembly: {
  readonly Memory: new (description: { initial: number }) => object;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { env: { memory: object } },
  ) => { readonly exports: Readonly<Record<string, unknown>> };
};

/** Runs one program on addresses (in bytes) and sizes in the backend's memory. */
export type SimdProgram = (...addressesAndSizes: readonly number[]) => void;

/** Our own SIMD programs, working in place on the tensors of the backend: both modules share one memory. */
export class SimdPrograms {
  readonly #exports: Readonly<Record<string, unknown>>;

  /** @throws {Error} if the backend does not show its memory (another version of tfjs-backend-wasm). */
  constructor(backend: BackendWasm) {
    const module = new WebAssembly.Module(assemble(simdPrograms));
    this.#exports = new WebAssembly.Instance(module, { env: { memory: memoryOf(backend) } }).exports;
  }

  program(name: string): SimdProgram {
    const exported = this.#exports[name];
    if (typeof exported !== 'function') throw new Error(`There is no SIMD program "${name}".`);
    return (...numbers) => {
      exported(...numbers);
    };
  }
}

function memoryOf(backend: BackendWasm): object {
  const compiled: unknown = Reflect.get(backend.wasm, 'asm');
  if (typeof compiled === 'object' && compiled !== null) {
    for (const exported of Object.values(compiled)) {
      if (exported instanceof WebAssembly.Memory) return exported;
    }
  }
  throw new Error(
    'The wasm engine expects @tensorflow/tfjs-backend-wasm 4.22 with its memory at wasm.asm.memory, and found none. ' +
      'Install the version that package-lock.json names: npm run setup.',
  );
}
