import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  concat,
  matMul,
  mul,
  reshape,
  sigmoid,
  slice,
  square,
  sub,
  sum,
  tanh,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { type ParameterSpec, differentiable, normalSpec, runFused } from '@winnow/core';

/** A gated recurrent unit (Cho et al., 2014) as PyTorch has it; gates r, z, n lie side by side. */
export type GruParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  inputWeight: Matrix; // [I, 3·H]
  inputBias: Vector; // [3·H]
  recurrentWeight: Matrix; // [H, 3·H]
  recurrentBias: Vector; // [3·H]
};

/**
 * The states of a GRU over one sequence, from a state of zeros: x [S, I] → [S, H]; gradients reach the parameters.
 * r = σ(W_r x + U_r h), z = σ(W_z x + U_z h), n = tanh(W_n x + b + r ⊙ (U_n h + c)), h ← (1 − z) ⊙ n + z ⊙ h.
 */
export function gru(params: GruParams, x: Tensor2D): Tensor2D {
  const { inputWeight, inputBias, recurrentWeight, recurrentBias } = params;
  return differentiable<Tensor2D>(
    [inputWeight, inputBias, recurrentWeight, recurrentBias],
    () => {
      const [states, gates] = runFused<[Tensor2D, Tensor2D]>('WinnowGru', { x, ...params }, {}, () =>
        statesOf(params, x),
      );
      return { value: states, saved: [x, recurrentWeight, states, gates] };
    },
    gradients,
  );
}

/** Row `step` of a matrix, some columns of it. */
const rowOf = (matrix: Tensor2D, step: number, from: number, size: number): Tensor2D =>
  slice(matrix, [step, from], [1, size]);
const asMatrix = (x: Tensor): Tensor2D => reshape(x, [x.shape[0] ?? 0, x.shape[1] ?? 0]);

/** States [S, H]; and r, z, n and U_n h + c side by side, [S, 4·H]. */
function statesOf(params: GruParams, x: Tensor2D): [Tensor2D, Tensor2D] {
  const [length] = x.shape;
  const [H] = params.recurrentWeight.shape;
  const inputs: Tensor2D = add(matMul(x, params.inputWeight), params.inputBias); // [S, 3·H]
  let state: Tensor2D = zeros([1, H]);
  const states: Tensor2D[] = [];
  const kept: Tensor2D[] = [];
  for (let step = 0; step < length; step++) {
    const recurrent: Tensor2D = add(matMul(state, params.recurrentWeight), params.recurrentBias);
    const gates: Tensor2D = sigmoid(
      add<Tensor2D>(rowOf(inputs, step, 0, 2 * H), rowOf(recurrent, 0, 0, 2 * H)),
    );
    const candidateOfState = rowOf(recurrent, 0, 2 * H, H);
    const candidate: Tensor2D = tanh(
      add<Tensor2D>(rowOf(inputs, step, 2 * H, H), mul(rowOf(gates, 0, 0, H), candidateOfState)),
    );
    state = add(candidate, mul(rowOf(gates, 0, H, H), sub(state, candidate)));
    states.push(state);
    kept.push(concat([gates, candidate, candidateOfState], 1));
  }
  return [concat(states, 0), concat(kept, 0)];
}

/** Computes the gradients of both weights, each before its bias. */
function gradients(dy: Tensor, saved: readonly Tensor[]): Tensor[] {
  const [x, recurrentWeight, states, gates] = saved;
  if (x === undefined || recurrentWeight === undefined || states === undefined || gates === undefined)
    throw new Error('gru: the forward pass saved no states');
  const inputs = { dy, x, recurrentWeight, states, gates };
  return runFused<Tensor[]>('WinnowGruGradient', inputs, {}, () =>
    backThroughTime(asMatrix(dy), asMatrix(x), recurrentWeight, asMatrix(states), asMatrix(gates)),
  );
}

function backThroughTime(
  dy: Tensor2D,
  x: Tensor2D,
  recurrentWeight: Tensor,
  states: Tensor2D,
  gates: Tensor2D,
): Tensor[] {
  const [length, H] = states.shape;
  const start = zerosLike(rowOf(states, 0, 0, H));
  const ofInputs: Tensor2D[] = []; // [1, 3·H] each, the last step first
  const ofRecurrent: Tensor2D[] = [];
  let later: Tensor2D = start;
  for (let step = length - 1; step >= 0; step--) {
    const [reset, update, candidate, candidateOfState] = [0, 1, 2, 3].map((index) =>
      rowOf(gates, step, index * H, H),
    );
    if (!reset || !update || !candidate || !candidateOfState) throw new Error('gru: a gate is missing');
    const before = step === 0 ? start : rowOf(states, step - 1, 0, H);
    const gradient = add<Tensor2D>(rowOf(dy, step, 0, H), later);
    const ofCandidate = mul<Tensor2D>(mul(gradient, sub(1, update)), sub(1, square(candidate)));
    const ofReset = mul<Tensor2D>(mul(ofCandidate, candidateOfState), mul(reset, sub(1, reset)));
    const ofUpdate = mul<Tensor2D>(mul(gradient, sub(before, candidate)), mul(update, sub(1, update)));
    const recurrent = concat([ofReset, ofUpdate, mul<Tensor2D>(ofCandidate, reset)], 1);
    ofInputs.push(concat([ofReset, ofUpdate, ofCandidate], 1));
    ofRecurrent.push(recurrent);
    later = add(mul(gradient, update), matMul(recurrent, recurrentWeight, false, true));
  }
  const [inputs, recurrents] = [ofInputs, ofRecurrent].map((rows) => concat(rows.reverse(), 0)); // [S, 3·H]
  if (inputs === undefined || recurrents === undefined) throw new Error('gru: there is no sequence');
  const earlier = length === 1 ? start : concat([start, slice(states, [0, 0], [length - 1, H])], 0);
  return [
    matMul(x, inputs, true, false),
    sum(inputs, 0),
    matMul(earlier, recurrents, true, false),
    sum(recurrents, 0),
  ];
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
