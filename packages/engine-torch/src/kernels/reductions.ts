import { nativeKernel, nativeKernelOfMany } from './kernel';

const alongAxes = {
  All: 'all',
  Any: 'any',
  Max: 'greatest',
  Mean: 'mean',
  Min: 'least',
  Prod: 'product',
  Sum: 'sum',
} as const;

export function registerReductions(): void {
  for (const [kernel, operation] of Object.entries(alongAxes)) {
    const input = 'x';
    const axisAttribute = kernel === 'Max' ? 'reductionIndices' : 'axis';
    nativeKernel(kernel, operation, (call) => {
      const { shape } = call.input(input);
      const given = call.attribute(axisAttribute) === undefined ? 'axis' : axisAttribute;
      call.tensor(input).integers(call.axesAttribute(given, shape)).flagNamed('keepDims');
    });
  }
  for (const [kernel, operation] of [
    ['ArgMax', 'positionOfGreatest'],
    ['ArgMin', 'positionOfLeast'],
  ] as const) {
    nativeKernel(kernel, operation, (call) => {
      const { shape } = call.input('x');
      call.tensor('x').number(call.axisAttribute('axis', shape));
    });
  }
  for (const [kernel, operation] of [
    ['Cumprod', 'cumulativeProduct'],
    ['Cumsum', 'cumulativeSum'],
  ] as const) {
    nativeKernel(kernel, operation, (call) => {
      const { shape } = call.input('x');
      call.tensor('x').number(call.axisAttribute('axis', shape)).flagNamed('exclusive').flagNamed('reverse');
    });
  }
  nativeKernel('BatchMatMul', 'matrixProduct', (call) =>
    call.tensor('a').tensor('b').flagNamed('transposeA').flagNamed('transposeB'),
  );
  nativeKernel('Softmax', 'softmax', (call) => {
    call.tensor('logits').number(call.axisAttribute('dim', call.input('logits').shape));
  });
  nativeKernel('LogSoftmax', 'logSoftmax', (call) => {
    call.tensor('logits').number(call.axisAttribute('axis', call.input('logits').shape));
  });
  nativeKernelOfMany('TopK', 'greatestOfLastAxis', (call) => call.tensor('x').numberNamed('k'));
}
