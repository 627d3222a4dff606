import { type Tensor, add, concat, div, mul, scalar, split, sqrt, square, sub } from '@tensorflow/tfjs-core';
import { numbered } from '../tree/tree';
import { runFused } from './kernel';

export interface AdamWHyper {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** 1, 2, 3, …: for the bias correction. */
  readonly iteration: number;
}

export interface AdamWLeaf {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** First moment. */
  readonly mean: Tensor;
  /** Second moment. */
  readonly variance: Tensor;
  /** Decoupled: the parameter shrinks by learningRate · weightDecay before the step. */
  readonly weightDecay: number;
  /** Factor of the learning rate; default 1. */
  readonly learningRateScale?: number;
}

export type AdamWUpdate = Pick<AdamWLeaf, 'parameter' | 'mean' | 'variance'>;

/**
 * One AdamW step over all leaves (Loshchilov & Hutter, 2017; Algorithm 2, in PyTorch's order of operations):
 * θ ← θ·(1 − lr·λ) − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε). Call it in a tidy.
 * @param donated the caller gives up parameters and moments: an engine may write the results into their memory, where no
 * other tensor shares it.
 */
export function adamwStep(leaves: readonly AdamWLeaf[], hyper: AdamWHyper, donated = false): AdamWUpdate[] {
  const groups = byRate(leaves);
  if (groups.size === 0) return [];
  // An engine sees who shares memory within one call only, so of what stands in two leaves nothing is given up.
  const owned = groups.size === 1 || new Set(leaves.flatMap(donatedOf)).size === 3 * leaves.length;
  const updates = new Map<AdamWLeaf, AdamWUpdate>();
  for (const [scale, group] of groups) {
    const scaled = { ...hyper, learningRate: hyper.learningRate * scale };
    stepAtOneRate(group, scaled, donated && owned).forEach((update, index) => {
      const leaf = group[index];
      if (leaf !== undefined) updates.set(leaf, update);
    });
  }
  return leaves.flatMap((leaf) => updates.get(leaf) ?? []);
}

function byRate(leaves: readonly AdamWLeaf[]): ReadonlyMap<number, AdamWLeaf[]> {
  const groups = new Map<number, AdamWLeaf[]>();
  for (const leaf of leaves) {
    const { learningRateScale: scale = 1 } = leaf;
    const group = groups.get(scale);
    if (group === undefined) groups.set(scale, [leaf]);
    else group.push(leaf);
  }
  return groups;
}

const donatedOf = ({ parameter, mean, variance }: AdamWLeaf): Tensor[] => [parameter, mean, variance];

function stepAtOneRate(leaves: readonly AdamWLeaf[], hyper: AdamWHyper, donated: boolean): AdamWUpdate[] {
  const inputs = leaves.flatMap(({ parameter, gradient, mean, variance }) => [
    parameter,
    gradient,
    mean,
    variance,
  ]);
  const weightDecays = leaves.map(({ weightDecay }) => weightDecay);
  const results = runFused<Tensor[]>(
    'WinnowAdamW',
    numbered(inputs),
    { ...hyper, weightDecays, donated },
    () => composed(leaves, hyper).flatMap(({ parameter, mean, variance }) => [parameter, mean, variance]),
  );
  return leaves.flatMap((_, index) => {
    const [parameter, mean, variance] = results.slice(3 * index, 3 * index + 3);
    return parameter && mean && variance ? [{ parameter, mean, variance }] : [];
  });
}

/** The step of tfjs operations, small leaves stacked. */
function composed(leaves: readonly AdamWLeaf[], hyper: AdamWHyper): AdamWUpdate[] {
  const constants = constantsOf(hyper);
  const updates = new Map<AdamWLeaf, AdamWUpdate>();
  for (const group of stackable(leaves)) {
    const stacked = stack(group);
    const [parameter, mean, variance] = compose(stacked, constants, hyper);
    unstack(group, { parameter, mean, variance }).forEach((update, index) => {
      const leaf = group[index];
      if (leaf !== undefined) updates.set(leaf, update);
    });
  }
  return leaves.flatMap((leaf) => updates.get(leaf) ?? []);
}

type Constants = ReturnType<typeof constantsOf>;

/** Scalars on the device, made once for all leaves: a number given to an operation is an upload of its own. */
function constantsOf({ learningRate, beta1, beta2, epsilon, iteration }: AdamWHyper) {
  return {
    beta1: scalar(beta1),
    oneMinusBeta1: scalar(1 - beta1),
    beta2: scalar(beta2),
    oneMinusBeta2: scalar(1 - beta2),
    rootCorrection: scalar(Math.sqrt(1 - beta2 ** iteration)),
    epsilon: scalar(epsilon),
    stepSize: scalar(learningRate / (1 - beta1 ** iteration)),
  };
}

function compose(
  leaf: AdamWLeaf,
  constants: Constants,
  { learningRate }: AdamWHyper,
): [Tensor, Tensor, Tensor] {
  const { beta1, oneMinusBeta1, beta2, oneMinusBeta2, rootCorrection, epsilon, stepSize } = constants;
  const mean = add(mul(leaf.mean, beta1), mul(leaf.gradient, oneMinusBeta1));
  const variance = add(mul(leaf.variance, beta2), mul(square(leaf.gradient), oneMinusBeta2));
  const denominator = add(div(sqrt(variance), rootCorrection), epsilon);
  const step = mul(div(mean, denominator), stepSize);
  const decayed =
    leaf.weightDecay === 0 ? leaf.parameter : mul(leaf.parameter, 1 - learningRate * leaf.weightDecay);
  return [sub(decayed, step), mean, variance];
}

/** Small leaves are stepped together up to this many elements: a dozen calls instead of a dozen per leaf. */
const STACK_ELEMENTS = 1 << 20;

/** Groups of leaves that can be stacked along their first axis: same other axes, same weight decay. */
function stackable(leaves: readonly AdamWLeaf[]): AdamWLeaf[][] {
  const groups: AdamWLeaf[][] = [];
  const open = new Map<string, { group: AdamWLeaf[]; elements: number }>();
  for (const leaf of leaves) {
    const { parameter, weightDecay } = leaf;
    const key = `${parameter.rank}/${parameter.shape.slice(1).join('x')}/${weightDecay}`;
    const current = open.get(key);
    if (parameter.rank > 0 && current !== undefined && current.elements + parameter.size <= STACK_ELEMENTS) {
      current.group.push(leaf);
      current.elements += parameter.size;
    } else {
      const group = [leaf];
      groups.push(group);
      open.set(key, { group, elements: parameter.size });
    }
  }
  return groups;
}

function stack(group: readonly AdamWLeaf[]): AdamWLeaf {
  const [first] = group;
  if (first === undefined) throw new RangeError('adamwStep: an empty group of leaves');
  if (group.length === 1) return first;
  const all = (of: (leaf: AdamWLeaf) => Tensor) => concat(group.map(of), 0);
  return {
    parameter: all((leaf) => leaf.parameter),
    gradient: all((leaf) => leaf.gradient),
    mean: all((leaf) => leaf.mean),
    variance: all((leaf) => leaf.variance),
    weightDecay: first.weightDecay,
  };
}

function unstack(group: readonly AdamWLeaf[], stacked: AdamWUpdate): AdamWUpdate[] {
  if (group.length === 1) return [stacked];
  const rows = group.map(({ parameter }) => parameter.shape[0] ?? 1);
  const [parameters, means, variances] = [stacked.parameter, stacked.mean, stacked.variance].map((tensor) =>
    split(tensor, rows, 0),
  );
  return group.flatMap((_, index) => {
    const [parameter, mean, variance] = [parameters?.[index], means?.[index], variances?.[index]];
    return parameter && mean && variance ? [{ parameter, mean, variance }] : [];
  });
}
