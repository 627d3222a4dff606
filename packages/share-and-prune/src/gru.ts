import {
  type Tensor1D,
  type Tensor2D,
  add,
  concat,
  matMul,
  mul,
  sigmoid,
  slice,
  sub,
  tanh,
  zeros,
} from '@tensorflow/tfjs-core';
import { type ParameterSpec, linear, normalSpec } from '@winnow/core';

/** A gated recurrent unit (Cho et al., 2014) as PyTorch has it; gates r, z, n lie side by side. */
export type GruParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  inputWeight: Matrix; // [I, 3·H]
  inputBias: Vector; // [3·H]
  recurrentWeight: Matrix; // [H, 3·H]
  recurrentBias: Vector; // [3·H]
};

/**
 * The states of a GRU over one sequence, from a state of zeros: x [S, I] → [S, H].
 * r = σ(W_r x + U_r h), z = σ(W_z x + U_z h), n = tanh(W_n x + b + r ⊙ (U_n h + c)), h ← (1 − z) ⊙ n + z ⊙ h.
 */
export function gru(params: GruParams, x: Tensor2D): Tensor2D {
  const [length] = x.shape;
  const [hidden] = params.recurrentWeight.shape;
  const inputs = linear(x, params.inputWeight, params.inputBias); // [S, 3·H]
  let state: Tensor2D = zeros([1, hidden]);
  const states: Tensor2D[] = [];
  for (let step = 0; step < length; step++) {
    const input: Tensor2D = slice(inputs, [step, 0], [1, 3 * hidden]);
    const recurrent: Tensor2D = add(matMul(state, params.recurrentWeight), params.recurrentBias);
    const gate = (from: Tensor2D, index: number, count = 1): Tensor2D =>
      slice(from, [0, index * hidden], [1, count * hidden]);
    const gates: Tensor2D = sigmoid(add<Tensor2D>(gate(input, 0, 2), gate(recurrent, 0, 2))); // r, z
    const reset = gate(gates, 0);
    const update = gate(gates, 1);
    const candidate: Tensor2D = tanh(add<Tensor2D>(gate(input, 2), mul(reset, gate(recurrent, 2))));
    state = add(candidate, mul(update, sub(state, candidate)));
    states.push(state);
  }
  return concat(states, 0);
}

/** Uniform in ±1/√H in PyTorch; here normal with its deviation 1/√(3·H). */
export function gruSpecs(input: number, hidden: number): GruParams<ParameterSpec, ParameterSpec> {
  const deviation = 1 / Math.sqrt(3 * hidden);
  return {
    inputWeight: normalSpec([input, 3 * hidden], deviation),
    inputBias: normalSpec([3 * hidden], deviation),
    recurrentWeight: normalSpec([hidden, 3 * hidden], deviation),
    recurrentBias: normalSpec([3 * hidden], deviation),
  };
}
