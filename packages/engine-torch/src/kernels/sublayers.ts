import type { KernelCall } from '../call';
import { nativeKernelOfMany } from './kernel';

const attentionTensors = ['query', 'key', 'value', 'output'];
const ffnTensors = ['expand', 'contract'];
/** In the order of their numbers in the addon. */
const activations = ['gelu', 'quick-gelu', 'gelu-tanh'];

/** The core's fused sub-layers. */
export function registerSublayers(): void {
  nativeKernelOfMany('WinnowAttentionSublayer', 'attentionSublayer', (call) =>
    writeAttention(call).flagNamed('keeps'),
  );
  nativeKernelOfMany('WinnowAttentionSublayerGradient', 'attentionSublayerGradient', (call) =>
    writeAttention(call.tensor('dy').tensors(call.numbered('kept'))),
  );
  nativeKernelOfMany('WinnowFfnSublayer', 'ffnSublayer', (call) => writeFfn(call).flagNamed('keeps'));
  nativeKernelOfMany('WinnowFfnSublayerGradient', 'ffnSublayerGradient', (call) =>
    writeFfn(call.tensor('dy').tensors(call.numbered('kept'))),
  );
}

function writeAttention(call: KernelCall): KernelCall {
  writeEntrance(call)
    .numberNamed('heads')
    .numberNamed('tokens')
    .numberNamed('scale')
    .numberNamed('epsilon')
    .flagNamed('causal');
  return writeLayers(call, attentionTensors).tensors(call.numbered('counts'));
}

function writeFfn(call: KernelCall): KernelCall {
  writeEntrance(call).numberNamed('epsilon');
  return writeLayers(call, ffnTensors).number(activations.indexOf(String(call.attribute('activation'))));
}

const writeEntrance = (call: KernelCall): KernelCall =>
  call.tensor('x').tensor('normWeight').tensor('normBias');

function writeLayers(call: KernelCall, layers: readonly string[]): KernelCall {
  for (const layer of layers) call.tensor(`${layer}Weight`).tensor(`${layer}Bias`);
  return call.tensors(call.numbered('layerScale'));
}
