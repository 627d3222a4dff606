import { util } from '@tensorflow/tfjs-core';
import { nativeKernel } from './kernel';

/** tfjs' kernel → the addon's operation. */
const unary = {
  Abs: 'abs',
  Acos: 'acos',
  Acosh: 'acosh',
  Asin: 'asin',
  Asinh: 'asinh',
  Atan: 'atan',
  Atanh: 'atanh',
  Ceil: 'ceil',
  Cos: 'cos',
  Cosh: 'cosh',
  Elu: 'elu',
  Erf: 'erf',
  Exp: 'exp',
  Expm1: 'expm1',
  Floor: 'floor',
  IsFinite: 'isFinite',
  IsInf: 'isInf',
  IsNan: 'isNan',
  Log: 'log',
  Log1p: 'log1p',
  LogicalNot: 'logicalNot',
  Neg: 'neg',
  Reciprocal: 'reciprocal',
  Relu: 'relu',
  Relu6: 'relu6',
  Round: 'round',
  Rsqrt: 'rsqrt',
  Selu: 'selu',
  Sigmoid: 'sigmoid',
  Sign: 'sign',
  Sin: 'sin',
  Sinh: 'sinh',
  Softplus: 'softplus',
  Sqrt: 'sqrt',
  Square: 'square',
  Tan: 'tan',
  Tanh: 'tanh',
} as const;

const binary = {
  Add: 'add',
  Atan2: 'atan2',
  Equal: 'equal',
  FloorDiv: 'floorDivide',
  Greater: 'greater',
  GreaterEqual: 'greaterEqual',
  Less: 'less',
  LessEqual: 'lessEqual',
  LogicalAnd: 'logicalAnd',
  LogicalOr: 'logicalOr',
  Maximum: 'maximum',
  Minimum: 'minimum',
  Mod: 'remainder',
  Multiply: 'multiply',
  NotEqual: 'notEqual',
  Pow: 'power',
  RealDiv: 'divide',
  SquaredDifference: 'squaredDifference',
  Sub: 'subtract',
} as const;

export function registerElementwise(): void {
  for (const [kernel, operation] of Object.entries(unary)) {
    nativeKernel(kernel, operation, (call) => call.tensor('x'));
  }
  for (const [kernel, operation] of Object.entries(binary)) {
    nativeKernel(kernel, operation, (call) => call.tensor('a').tensor('b'));
  }
  nativeKernel('AddN', 'addAll', (call) => call.tensors(call.list()));
  nativeKernel('Cast', 'cast', (call) => call.tensor('x').typeNamed('dtype'));
  nativeKernel('ClipByValue', 'clip', (call) =>
    call.tensor('x').numberNamed('clipValueMin').numberNamed('clipValueMax'),
  );
  nativeKernel('EluGrad', 'eluGradient', (call) => call.tensor('dy').tensor('y'));
  nativeKernel('LeakyRelu', 'leakyRelu', (call) => call.tensor('x').numberNamed('alpha'));
  nativeKernel('Prelu', 'parametricRelu', (call) => call.tensor('x').tensor('alpha'));
  nativeKernel('Select', 'select', (call) => call.tensor('condition').tensor('t').tensor('e'));
  nativeKernel('Step', 'step', (call) => call.tensor('x').numberNamed('alpha'));
  registerMaking();
}

/** Kernels that make tensors from numbers alone. */
function registerMaking(): void {
  nativeKernel('Fill', 'fill', (call) => {
    const value = call.attribute('value');
    if (typeof value !== 'number') throw new Error(`expected a number as "value", got ${String(value)}`);
    const dtype = call.attribute('dtype');
    call.integers(call.numbersAttribute('shape')).number(value);
    if (typeof dtype === 'string') call.typeNamed('dtype');
    else call.type('float32');
  });
  for (const [kernel, value] of [
    ['ZerosLike', 0],
    ['OnesLike', 1],
  ] as const) {
    nativeKernel(kernel, 'fill', (call) => {
      const { shape, dtype } = call.input('x');
      call.integers(shape).number(value).type(dtype);
    });
  }
  nativeKernel('Range', 'range', (call) => {
    const [start, stop, step] = ['start', 'stop', 'step'].map((name) => call.numberAttribute(name));
    if (start === undefined || stop === undefined || step === undefined) return;
    // As in tfjs' makeRange: a step of 1 downhill means −1.
    const taken = stop < start && step === 1 ? -1 : step;
    const isEmpty = start === stop || (start < stop && taken < 0) || (stop < start && taken > 1);
    const count = isEmpty ? 0 : Math.abs(Math.ceil((stop - start) / taken));
    call.number(start).number(taken).number(count).typeNamed('dtype');
  });
  nativeKernel('LinSpace', 'range', (call) => {
    const [start, stop, count] = ['start', 'stop', 'num'].map((name) => call.numberAttribute(name));
    if (start === undefined || stop === undefined || count === undefined) return;
    util.assert(count > 0, () => `expected a positive "num", got ${count}`);
    call.number(start).number(count === 1 ? 0 : (stop - start) / (count - 1));
    call.number(count).type('float32');
  });
}
