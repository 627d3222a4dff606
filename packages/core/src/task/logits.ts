import {
  type Scalar,
  type Tensor,
  type Tensor2D,
  add,
  exp,
  logSoftmax,
  mean,
  mul,
  sigmoid,
  softmax,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core';
import type { Logits, Prediction } from '../families/prediction';
import { sigmoidCrossEntropy, softmaxCrossEntropy } from '../operations/cross-entropy';

const isMatrix = (tensor: Tensor | undefined): tensor is Tensor2D => tensor?.rank === 2;

/**
 * Reads a prediction as logits [B, K] with embeddings beside them.
 * @throws {RangeError} when the model predicts no such logits.
 */
export function logitsOf(prediction: Prediction): Logits {
  const { logits } = prediction;
  if (isMatrix(logits)) return { ...prediction, logits };
  const found = Object.entries(prediction).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  throw new RangeError(`expected logits of two axes, the model predicts ${found.join(', ')}`);
}

/** The mean of KL(p‖q) + KL(q‖p) over the distributions in the rows of two matrices of logits. */
export function symmetricDivergence(a: Tensor2D, b: Tensor2D): Scalar {
  const p = logSoftmax<Tensor2D>(a);
  const q = logSoftmax<Tensor2D>(b);
  // Σ (p − q)·(log p − log q) is the sum of both divergences.
  return mean(sum(mul(sub(exp(p), exp(q)), sub(p, q)), 1));
}

/** The mean of KL(p‖q) + KL(q‖p) over rows, where each logit says yes or no by itself: summed over a row. */
export function sigmoidDivergence(a: Tensor2D, b: Tensor2D): Scalar {
  return mean(sum(mul(sub(sigmoid(a), sigmoid(b)), sub(a, b)), 1));
}

/**
 * The cross-entropy of a student's logits to its teacher's distributions (Hinton et al., 2015), and the mean squared
 * distance of every embedding that both predict in the same shape.
 */
export function logitDistillation(student: Logits, teacher: Logits): Scalar {
  const probabilities: Tensor2D = softmax(teacher.logits);
  return withEmbeddings(softmaxCrossEntropy(student.logits, probabilities), student, teacher);
}

/** The same where each logit says yes or no by itself. */
export function sigmoidDistillation(student: Logits, teacher: Logits): Scalar {
  return withEmbeddings(sigmoidCrossEntropy(student.logits, sigmoid(teacher.logits)), student, teacher);
}

/** A loss, plus the mean squared distance of every embedding that both predict in the same shape. */
function withEmbeddings(loss: Scalar, student: Logits, teacher: Logits): Scalar {
  return Object.entries(teacher).reduce<Scalar>((total, [name, embedding]) => {
    const own = student[name];
    if (name === 'logits' || own === undefined || !sameShape(own, embedding)) return total;
    const perRow: Tensor = sum(square(sub(own, embedding)), -1);
    return add(total, mean(perRow));
  }, loss);
}

const sameShape = (a: Tensor, b: Tensor): boolean =>
  a.shape.length === b.shape.length && a.shape.every((extent, axis) => extent === b.shape[axis]);
