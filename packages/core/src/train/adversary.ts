import {
  type Scalar,
  type Tensor,
  type Tensor3D,
  add,
  div,
  maximum,
  mul,
  sqrt,
  square,
  sum,
  valueAndGrads,
  zeros,
} from '@tensorflow/tfjs-core';
import { UserError } from '../error/user-error';
import type { EmbeddingPlace, Perturb } from '../families/perturbation';
import { type TensorTree, tidyTree } from '../tree/tree';

/**
 * Trains against a perturbation δ of embedded inputs that is led uphill (Gan et al., 2020, as in
 * shared/specs/lottery-ticket.md, Adversarial tickets): an option of any training, of any method.
 */
export interface Adversary {
  /** The embeddings that are perturbed. */
  readonly places: readonly EmbeddingPlace[];
  /** The number of times that δ climbs; each costs a forward and a backward pass. */
  readonly steps: number;
  /** α: how far δ goes in each step, in the L2 norm of an example. */
  readonly stepSize: number;
  /** Weight of the task's divergence from the clean prediction beside its loss. */
  readonly divergence: number;
}

/** Forward passes that a training step costs: forward and backward are three; with an adversary one more is clean. */
export function forwardPassesPerStep(adversary: Adversary | undefined): number {
  return adversary === undefined ? 3 : 1 + 3 * adversary.steps;
}

/** The forward pass of a step and its loss, as functions of the trainable leaves. */
export interface Pass {
  readonly prediction: TensorTree;
  /** Computes the loss with penalties. */
  loss(): Scalar;
}

interface Learner {
  pass(leaves: readonly Tensor[], perturb?: Perturb): Pass;
  /** The task's divergence of a prediction from the clean one. */
  divergence(prediction: TensorTree, clean: TensorTree): Scalar;
}

/**
 * Loss and gradients of a step: δ starts at 0; each of the steps adds up the gradients of (task loss + weight ·
 * divergence from the clean prediction)/steps, and then δ ← δ + α·∇δ/‖∇δ‖₂ for every example by itself, without a bound.
 * The clean prediction is a constant. Call it in a tidy, outside of any gradient.
 * @throws {UserError} when the model embeds nothing of what is to be perturbed.
 */
export function adversarialGradients(
  { places, steps, stepSize, divergence }: Adversary,
  leaves: readonly Tensor[],
  learner: Learner,
): { value: Scalar; grads: Tensor[] } {
  const shapes = new Map<EmbeddingPlace, readonly number[]>();
  const clean = tidyTree(
    () =>
      learner.pass(leaves, (place, embedding) => {
        if (places.includes(place)) shapes.set(place, embedding.shape);
        return embedding;
      }).prediction,
  );
  if (shapes.size === 0) {
    throw new UserError(`this model has no ${places.join(' or ')} that could be perturbed`);
  }
  const perturbed = [...shapes.keys()];
  let deltas: Tensor[] = [...shapes.values()].map((shape) => zeros([...shape]));
  let value: Scalar | undefined;
  let grads: readonly Tensor[] | undefined;
  for (let step = 0; step < steps; step++) {
    const climbed = valueAndGrads((...all: Tensor[]): Scalar => {
      const own = all.slice(leaves.length);
      const { prediction, loss } = learner.pass(all.slice(0, leaves.length), (place, embedding): Tensor3D => {
        const delta = own[perturbed.indexOf(place)];
        return delta === undefined ? embedding : add(embedding, delta);
      });
      const taskLoss = loss();
      const away = mul<Scalar>(learner.divergence(prediction, clean), divergence);
      return div(add<Scalar>(taskLoss, away), steps);
    })([...leaves, ...deltas]);
    value = value === undefined ? climbed.value : add<Scalar>(value, climbed.value);
    const latest = climbed.grads.slice(0, leaves.length);
    grads = grads?.map((total, index) => addTo(total, latest[index])) ?? latest;
    const uphill = climbed.grads.slice(leaves.length);
    deltas = deltas.map((delta, index) => addTo(delta, unitStep(uphill[index], stepSize)));
  }
  if (value === undefined || grads === undefined) {
    throw new RangeError('expected an adversary of at least one step');
  }
  return { value, grads: [...grads] };
}

const addTo = (total: Tensor, more: Tensor | undefined): Tensor =>
  more === undefined ? total : add(total, more);

/** α·g/‖g‖₂ of each example, [B, T, D]; nothing where there is no slope. */
function unitStep(gradient: Tensor | undefined, stepSize: number): Tensor | undefined {
  if (gradient === undefined) return undefined;
  const norms = sqrt(sum(square(gradient), [1, 2], true)); // [B, 1, 1]
  return mul(div(gradient, maximum(norms, 1e-8)), stepSize);
}
