import { getKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { backendName } from '../backend';
import type { KernelCall } from '../call';
import { nativeKernelOfMany } from './kernel';

const attentionTensors = ['query', 'key', 'value', 'output'];
const ffnTensors = ['expand', 'contract'];
const activations = ['gelu', 'quick-gelu'];

/** The core's fused sub-layers: kernel → addon's operation. A build that lacks them leaves the core to compose them. */
const operations = {
  WinnowAttentionSublayer: 'attentionSublayer',
  WinnowAttentionSublayerGradient: 'attentionSublayerGradient',
  WinnowFfnSublayer: 'ffnSublayer',
  WinnowFfnSublayerGradient: 'ffnSublayerGradient',
} as const;

/** Registers the sub-layers where the addon has them; where it has not, the core composes them of smaller operations. */
export function offerSublayers(offered: readonly string[]): void {
  if (!Object.values(operations).every((operation) => offered.includes(operation))) {
    for (const kernel of Object.keys(operations)) {
      if (getKernel(kernel, backendName) !== undefined) unregisterKernel(kernel, backendName);
    }
    return;
  }
  const { WinnowAttentionSublayer, WinnowAttentionSublayerGradient } = operations;
  nativeKernelOfMany('WinnowAttentionSublayer', WinnowAttentionSublayer, (call) =>
    writeAttention(call).flagNamed('keeps'),
  );
  nativeKernelOfMany('WinnowAttentionSublayerGradient', WinnowAttentionSublayerGradient, (call) =>
    writeAttention(call.tensor('dy').tensors(call.numbered('kept'))),
  );
  nativeKernelOfMany('WinnowFfnSublayer', operations.WinnowFfnSublayer, (call) =>
    writeFfn(call).flagNamed('keeps'),
  );
  nativeKernelOfMany('WinnowFfnSublayerGradient', operations.WinnowFfnSublayerGradient, (call) =>
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
  return writeLayers(call, attentionTensors);
}

function writeFfn(call: KernelCall): KernelCall {
  writeEntrance(call).numberNamed('epsilon');
  return writeLayers(call, ffnTensors).number(activations.indexOf(String(call.attribute('activation'))));
}

const writeEntrance = (call: KernelCall): KernelCall =>
  call.tensor('x').tensor('normWeight').tensor('normBias');

function writeLayers(call: KernelCall, layers: readonly string[]): KernelCall {
  for (const layer of layers) call.tensor(`${layer}Weight`).tensor(`${layer}Bias`);
  return call;
}
