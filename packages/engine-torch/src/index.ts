export { TorchBackend } from './backend';
export { obstacle, startTorch, type RunningTorch } from './start';
export type { TorchOptions, TorchSettings } from './options';
