import type { KernelCall } from '../call';
import { nativeKernelOfMany } from './kernel';

/** The core's fused operations (`runFused` there): kernel → addon's operation and its inputs, in order. */
const withoutAttributes = {
  WinnowLinear: ['linear', 'x', 'weight', 'bias'],
  WinnowColumnProducts: ['columnProducts', 'x', 'y'],
  WinnowLayerNormGradient: ['layerNormGradient', 'dy', 'weight', 'normalized', 'inverseDeviation'],
  WinnowGelu: ['gelu', 'x'],
  WinnowGeluGradient: ['geluGradient', 'dy', 'x'],
  WinnowGeluTanh: ['geluTanh', 'x'],
  WinnowGeluTanhGradient: ['geluTanhGradient', 'dy', 'x'],
  WinnowQuickGelu: ['quickGelu', 'x'],
  WinnowQuickGeluGradient: ['quickGeluGradient', 'dy', 'x', 'gate'],
  WinnowGru: ['gru', 'x', 'inputWeight', 'inputBias', 'recurrentWeight', 'recurrentBias'],
  WinnowGruGradient: ['gruGradient', 'dy', 'x', 'recurrentWeight', 'states', 'gates'],
  WinnowSoftmaxCrossEntropy: ['softmaxCrossEntropy', 'logits', 'targets'],
} as const;

export function registerFused(): void {
  for (const [kernel, [operation, ...inputs]] of Object.entries(withoutAttributes)) {
    nativeKernelOfMany(kernel, operation, (call) => {
      for (const input of inputs) call.tensor(input);
    });
  }
  nativeKernelOfMany('WinnowLinearGradient', 'linearGradient', (call) =>
    call.tensor('dy').tensor('x').tensor('weight').flagNamed('reachesInput'),
  );
  nativeKernelOfMany('WinnowRidgeSolve', 'ridgeSolve', (call) =>
    call.tensor('sums').tensor('cross').numberNamed('scale').numberNamed('ridge'),
  );
  nativeKernelOfMany('WinnowRemovalOrder', 'removalOrder', (call) =>
    call
      .tensor('sums')
      .tensor('weight')
      .tensor('added')
      .numberNamed('scale')
      .numberNamed('ridge')
      .numberNamed('copies')
      .numberNamed('count'),
  );
  nativeKernelOfMany('WinnowLayerNorm', 'layerNorm', (call) =>
    call.tensor('x').tensor('weight').tensor('bias').numberNamed('epsilon'),
  );
  nativeKernelOfMany('WinnowAttention', 'attention', (call) => {
    writeAttentionShape(call.tensor('query').tensor('key').tensor('value')).flagNamed('causal');
  });
  nativeKernelOfMany('WinnowAttentionGradient', 'attentionGradient', (call) => {
    writeAttentionShape(
      call.tensor('dy').tensor('query').tensor('key').tensor('value').tensor('probabilities'),
    );
  });
  nativeKernelOfMany('WinnowScaleUnits', 'scaleUnits', writeScaledUnits);
  nativeKernelOfMany('WinnowScaleUnitsGradient', 'scaleUnitsGradient', writeScaledUnits);
  nativeKernelOfMany('WinnowShareUnits', 'shareUnits', writeSharedUnits);
  nativeKernelOfMany('WinnowShareUnitsGradient', 'shareUnitsGradient', writeSharedUnits);
  nativeKernelOfMany('WinnowPenalizeUnits', 'penalizeUnits', writePenalty);
  nativeKernelOfMany('WinnowPenalizeUnitsGradient', 'penalizeUnitsGradient', writePenalty);
  nativeKernelOfMany('WinnowHeads', 'heads', (call) =>
    call.tensor('features').tensor('weight').tensor('bias').integers(call.numbersAttribute('sizes')),
  );
  nativeKernelOfMany('WinnowHeadsGradient', 'headsGradient', (call) =>
    call.tensor('dy').tensor('features').tensor('weight').integers(call.numbersAttribute('sizes')),
  );
  nativeKernelOfMany('WinnowMaskWeights', 'maskWeights', (call) => call.tensors(call.list()));
  nativeKernelOfMany('WinnowMaskWeightsGradient', 'maskWeightsGradient', (call) => call.tensors(call.list()));
  nativeKernelOfMany('WinnowAssembleColumns', 'assembleColumns', writeAssembly);
  nativeKernelOfMany('WinnowAssembleColumnsGradient', 'assembleColumnsGradient', writeAssembly);
  nativeKernelOfMany('WinnowClipGradients', 'clipGradients', (call) =>
    call.tensors(call.list()).numberNamed('maxNorm').numberNamed('epsilon'),
  );
  nativeKernelOfMany('WinnowFiniteProbe', 'finiteProbe', (call) => call.tensors(call.list()));
  nativeKernelOfMany('WinnowAdamW', 'adamW', writeAdamW);
}

/** All tensors in their order; then, for each parameter, the number of its scale and its units' width. */
function writeScaledUnits(call: KernelCall): void {
  const widths = call.numbersAttribute('widths');
  call.tensors(call.list()).integers(call.numbersAttribute('scales')).integers(widths);
}

/** All tensors in their order; then of each parameter its units, their width, its lender and where its entries begin. */
function writeSharedUnits(call: KernelCall): void {
  call.tensors(call.list());
  for (const name of ['units', 'widths', 'lenders', 'shares', 'scales'])
    call.integers(call.numbersAttribute(name));
}

/** All tensors in their order; then the columns' places, and how many columns each source has. */
function writeAssembly(call: KernelCall): void {
  call
    .tensors(call.list())
    .integers(call.numbersAttribute('places'))
    .integers(call.numbersAttribute('counts'));
  call.numberNamed('axis');
}

/** All tensors in their order; then of each parameter its units and their width; distances and norms; ε. */
function writePenalty(call: KernelCall): void {
  call.tensors(call.list());
  for (const name of ['units', 'widths', 'distances', 'norms']) call.integers(call.numbersAttribute(name));
  call.numberNamed('epsilon');
}

/** Four tensors a leaf: parameter, gradient, first and second moment. */
function writeAdamW(call: KernelCall): void {
  for (const name of ['learningRate', 'beta1', 'beta2', 'epsilon', 'iteration']) call.numberNamed(name);
  const tensors = call.list();
  const donated = call.attribute('donated') === true;
  const weightDecays = call.numbersAttribute('weightDecays');
  call.groups(weightDecays.length);
  weightDecays.forEach((weightDecay, index) => {
    const leaf = tensors.slice(4 * index, 4 * index + 4);
    const [parameter, , ...moments] = leaf;
    const replaced = parameter === undefined ? moments : [parameter, ...moments];
    for (const tensor of leaf) call.tensorOf(tensor);
    call.number(weightDecay).flag(donated && replaced.every((tensor) => !call.isShared(tensor)));
  });
}

function writeAttentionShape(call: KernelCall): KernelCall {
  return call.numberNamed('batch').numberNamed('tokens').numberNamed('heads').numberNamed('scale');
}
