export { TorchBackend } from './backend';
export { obstacle, startTorch, type RunningTorch } from './start';
export type { Kernels, TorchOptions, TorchSettings } from './options';
