import type { EngineDriver } from './driver';

/** Our own TensorFlow.js backend on libtorch, on all CPU cores or an NVIDIA GPU. Set-up builds its addon where it can. */
export const torchDriver: EngineDriver = {
  async availability() {
    const { obstacle } = await import('@winnow/engine-torch');
    const missing = obstacle();
    return missing === undefined ? { available: true } : { available: false, reason: missing };
  },
  async start(options) {
    const { startTorch } = await import('@winnow/engine-torch');
    return startTorch(options);
  },
};
