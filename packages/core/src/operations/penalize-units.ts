import {
  type Scalar,
  type Tensor,
  type Tensor1D,
  abs,
  add,
  div,
  mul,
  neg,
  reshape,
  scalar,
  sign,
  slice,
  sqrt,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core';
import { differentiable, hasKernel } from './kernel';
import { runListKernel } from './list-kernel';

/** A parameter, and along which axis its units run: [·, units] (1), [units, ·] or [units] (0). */
export interface PenalizedParameter {
  readonly parameter: Tensor;
  readonly axis: 0 | 1;
}

/** Which units are penalised. Parameters are named by their positions, weights by the position of the first unit's. */
export interface UnitPenalty {
  readonly parameters: readonly PenalizedParameter[];
  /** [·] A weight for each unit of each term; no gradient reaches them. */
  readonly weights: Tensor1D;
  /** ‖own − lent‖₁ of each unit. */
  readonly distances: readonly { readonly own: number; readonly lent: number; readonly from: number }[];
  /** √(‖unit‖₂² + ε) of each unit, over all parts together. */
  readonly norms: readonly { readonly parts: readonly number[]; readonly from: number }[];
  /** ε */
  readonly epsilon: number;
}

/**
 * The weighted sum of distances and norms, and the parameters as they are. Who uses those instead of the ones that were
 * given has the gradients of both uses added up in one pass, where the engine brings a kernel.
 */
export function penalizeUnits(penalty: UnitPenalty): { penalty: Scalar; parameters: Tensor[] } {
  const parameters = penalty.parameters.map(({ parameter }) => parameter);
  if (penalty.distances.length + penalty.norms.length === 0) return { penalty: scalar(0), parameters };
  if (hasKernel(KERNEL)) return together(penalty, parameters);
  const { weights } = penalty;
  const value = differentiable<Scalar>(
    parameters,
    () => ({ value: valueOf(penalty, parameters, weights), saved: [...parameters, weights] }),
    (dy, saved) => gradientsOf(penalty, dy, saved.slice(0, -1), saved.at(-1) ?? dy),
  );
  return { penalty: value, parameters };
}

/** Sums of what lies in each unit, [units]. */
const overUnits = (x: Tensor, axis: 0 | 1): Tensor => (x.rank === 1 ? x : sum(x, axis === 1 ? 0 : 1));
/** A number for each unit, in a shape that multiplies a parameter. */
const besideUnits = (numbers: Tensor, x: Tensor, axis: 0 | 1): Tensor =>
  x.rank === 2 && axis === 0 ? reshape(numbers, [-1, 1]) : numbers;

function at<Value>(list: readonly Value[], position: number): Value {
  const found = list[position];
  if (found === undefined) throw new RangeError(`penalizeUnits: there is no parameter ${position}`);
  return found;
}

const axisOf = ({ parameters }: UnitPenalty, position: number) => at(parameters, position).axis;

function weightsOf({ parameters }: UnitPenalty, weights: Tensor, position: number, from: number): Tensor {
  const { parameter, axis } = at(parameters, position);
  return slice(weights, from, parameter.shape[axis]);
}

function normsOf(penalty: UnitPenalty, tensors: readonly Tensor[], parts: readonly number[]): Tensor {
  const squares = parts.map((part) => overUnits(square(at(tensors, part)), axisOf(penalty, part)));
  return sqrt(squares.reduce((total, each) => add(total, each), scalar(penalty.epsilon)));
}

function valueOf(penalty: UnitPenalty, tensors: readonly Tensor[], weights: Tensor): Scalar {
  const distances = penalty.distances.map(({ own, lent, from }) => {
    const distance = overUnits(abs(sub(at(tensors, own), at(tensors, lent))), axisOf(penalty, own));
    return sum<Scalar>(mul(distance, weightsOf(penalty, weights, own, from)));
  });
  const norms = penalty.norms.map(({ parts, from }) =>
    sum<Scalar>(mul(normsOf(penalty, tensors, parts), weightsOf(penalty, weights, parts[0] ?? 0, from))),
  );
  return [...distances, ...norms].reduce((total, term) => add(total, term));
}

function gradientsOf(
  penalty: UnitPenalty,
  dy: Tensor,
  tensors: readonly Tensor[],
  weights: Tensor,
): Tensor[] {
  const gradients = tensors.map((): Tensor | undefined => undefined);
  const give = (position: number, gradient: Tensor) => {
    const before = gradients[position];
    gradients[position] = before === undefined ? gradient : add(before, gradient);
  };
  for (const { own, lent, from } of penalty.distances) {
    const x = at(tensors, own);
    const weight = mul(weightsOf(penalty, weights, own, from), dy);
    const pull = mul(sign(sub(x, at(tensors, lent))), besideUnits(weight, x, axisOf(penalty, own)));
    give(own, pull);
    give(lent, neg(pull));
  }
  for (const { parts, from } of penalty.norms) {
    const weight = mul(weightsOf(penalty, weights, parts[0] ?? 0, from), dy);
    const factor = div(weight, normsOf(penalty, tensors, parts));
    for (const part of parts) {
      const x = at(tensors, part);
      give(part, mul(x, besideUnits(factor, x, axisOf(penalty, part))));
    }
  }
  return gradients.map((gradient, position) => gradient ?? mul(at(tensors, position), 0));
}

const KERNEL = 'WinnowPenalizeUnits';

/** One call of the engine for the value; one for all gradients, what arrives at the parameters from elsewhere included. */
function together(
  penalty: UnitPenalty,
  tensors: readonly Tensor[],
): { penalty: Scalar; parameters: Tensor[] } {
  const { weights, parameters, distances, norms, epsilon } = penalty;
  const [value, ...same] = runListKernel<[Scalar, ...Tensor[]]>(KERNEL, [...tensors, weights], {
    units: parameters.map(({ parameter, axis }) => parameter.shape[axis] ?? 1),
    // How many numbers of a parameter lie side by side for each unit.
    widths: parameters.map(({ parameter, axis }) => (axis === 0 ? (parameter.shape[1] ?? 1) : 1)),
    distances: distances.flatMap(({ own, lent, from }) => [own, lent, from]),
    norms: norms.flatMap(({ parts, from }) => [from, parts.length, ...parts]),
    epsilon,
  });
  return { penalty: value, parameters: same };
}
