import type { InferenceSession, Tensor, env } from 'onnxruntime-web';
import type { Backend } from '../demo-data';

/** The parts of ONNX Runtime that a page needs. */
export interface Runtime {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof Tensor;
  readonly env: typeof env;
}

declare global {
  /** Runtimes that have been loaded: each is a script of its own, as they are large. */
  var winnowRuntimes: Partial<Record<Backend, Runtime>> | undefined;
}

/** Says that a runtime is there. */
export function offerRuntime(backend: Backend, runtime: Runtime): void {
  globalThis.winnowRuntimes = { ...globalThis.winnowRuntimes, [backend]: runtime };
}
