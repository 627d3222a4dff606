export { TorchBackend } from './backend';
export { obstacle, startTorch, type TorchOptions } from './start';
