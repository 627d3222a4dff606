import type { KernelCall } from '../call';
import { nativeKernelOfMany } from './kernel';

/** The core's fused operations (`runFused` there): kernel → addon's operation and its inputs, in order. */
const withoutAttributes = {
  WinnowLinear: ['linear', 'x', 'weight', 'bias'],
  WinnowLinearGradient: ['linearGradient', 'dy', 'x', 'weight'],
  WinnowLayerNormGradient: ['layerNormGradient', 'dy', 'weight', 'normalized', 'inverseDeviation'],
  WinnowGelu: ['gelu', 'x'],
  WinnowGeluGradient: ['geluGradient', 'dy', 'x'],
  WinnowQuickGelu: ['quickGelu', 'x'],
  WinnowQuickGeluGradient: ['quickGeluGradient', 'dy', 'x', 'gate'],
  WinnowSoftmaxCrossEntropy: ['softmaxCrossEntropy', 'logits', 'targets'],
} as const;

export function registerFused(): void {
  for (const [kernel, [operation, ...inputs]] of Object.entries(withoutAttributes)) {
    nativeKernelOfMany(kernel, operation, (call) => {
      for (const input of inputs) call.tensor(input);
    });
  }
  nativeKernelOfMany('WinnowLayerNorm', 'layerNorm', (call) =>
    call.tensor('x').tensor('weight').tensor('bias').numberNamed('epsilon'),
  );
  nativeKernelOfMany('WinnowAttention', 'attention', (call) => {
    writeAttentionShape(call.tensor('query').tensor('key').tensor('value'));
  });
  nativeKernelOfMany('WinnowAttentionGradient', 'attentionGradient', (call) => {
    writeAttentionShape(
      call.tensor('dy').tensor('query').tensor('key').tensor('value').tensor('probabilities'),
    );
  });
  nativeKernelOfMany('WinnowScaleUnits', 'scaleUnits', (call) =>
    call.tensor('parameter').tensor('scale').numberNamed('units').numberNamed('width'),
  );
  nativeKernelOfMany('WinnowScaleUnitsGradient', 'scaleUnitsGradient', (call) =>
    call.tensor('dy').tensor('parameter').tensor('scale').numberNamed('units').numberNamed('width'),
  );
  nativeKernelOfMany('WinnowAdamW', 'adamW', (call) => {
    call.tensor('parameter').tensor('gradient').tensor('mean').tensor('variance');
    for (const name of ['learningRate', 'beta1', 'beta2', 'epsilon', 'iteration', 'weightDecay']) {
      call.numberNamed(name);
    }
  });
}

function writeAttentionShape(call: KernelCall): void {
  call
    .numberNamed('batch')
    .numberNamed('tokens')
    .numberNamed('heads')
    .numberNamed('scale')
    .flagNamed('causal');
}
