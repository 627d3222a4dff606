import { type Scalar, type Tensor, type Tensor1D, reshape, slice, tensor1d } from '@tensorflow/tfjs-core';
import { type RandomStream, differentiable } from '@winnow/core';
import { addStoredGradient, storedParameters } from './count';
import type { Layout } from './layout';
import { type StructureVector, resolveConflicts, resolveGradient } from './structure';

/** Computes for each gate the probability that it is open: P(o + b + g > 0) = 1 − exp(−exp(o + b)), g Gumbel noise. */
export const openProbabilities = (confidences: Float32Array): Float64Array =>
  Float64Array.from(confidences, (confidence) => -Math.expm1(-Math.exp(confidence)));

/** Gates drawn with these probabilities: what o + b + g > 0 draws, without the logarithms. */
export function drawGates(probabilities: Float64Array, random: RandomStream): StructureVector {
  const gates = new Float32Array(probabilities.length);
  for (let entry = 0; entry < gates.length; entry++)
    gates[entry] = random.uniform() < (probabilities[entry] ?? 1) ? 1 : 0;
  return gates;
}

/** 1 where o + b + g > 0, without noise where o + b is: what (o + b + g)/τ is rounded to by way of the sigmoid. */
export function hardGates(confidences: Float32Array, noise?: Float32Array): StructureVector {
  const gates = new Float32Array(confidences.length);
  for (let entry = 0; entry < gates.length; entry++)
    gates[entry] = (confidences[entry] ?? 0) + (noise?.[entry] ?? 0) > 0 ? 1 : 0;
  return gates;
}

/** −log(−log U) with U uniform in (0, 1). */
export function gumbelNoise(count: number, random: RandomStream): Float32Array {
  const noise = new Float32Array(count);
  // 1 − U is never 0, and 1 is as likely as any other number: the smallest that −log can be told from 0.
  for (let entry = 0; entry < count; entry++)
    noise[entry] = -Math.log(Math.max(Number.EPSILON, -Math.log(1 - random.uniform())));
  return noise;
}

/** ∂y/∂(o + b) of y = sigmoid((o + b + g)/τ). */
function slopesOf(confidences: Float32Array, noise: Float32Array, temperature: number): Float32Array {
  const slopes = new Float32Array(confidences.length);
  for (let entry = 0; entry < slopes.length; entry++) {
    const y = 1 / (1 + Math.exp(-((confidences[entry] ?? 0) + (noise[entry] ?? 0)) / temperature));
    slopes[entry] = (y * (1 - y)) / temperature;
  }
  return slopes;
}

/** A resolved structure on the engine, with gradients to the confidences that it was drawn with. */
export interface DrawnStructure {
  /** [N + 1], as the layout has it; what is behind it is P. */
  readonly vector: Tensor1D;
  /** P */
  readonly stored: Scalar;
}

/**
 * y = sigmoid((o + b + g)/τ), rounded with the gradient of y; conflicts resolved, parameters counted. Gates are a few
 * numbers for each column of a matrix: they are computed in host memory, where it is one pass over them each way.
 * @param confidences o + b [N]
 */
export function drawStructure(
  confidences: Tensor1D,
  noise: Float32Array,
  { layout, temperature }: { readonly layout: Layout; readonly temperature: number },
): DrawnStructure {
  const own = confidences.dataSync<'float32'>();
  const gates = hardGates(own, noise);
  const resolved = resolveConflicts(gates, layout);
  const slopes = slopesOf(own, noise, temperature);
  const values = new Float32Array(layout.size + 1);
  values.set(resolved);
  values[layout.size] = storedParameters(resolved, layout);
  const vector = differentiable<Tensor1D>(
    [confidences],
    () => ({ value: tensor1d(values), saved: [] }),
    (dy) => [straightThrough(dy, { gates, resolved, slopes }, layout)],
  );
  return { vector, stored: reshape(slice(vector, layout.size, 1), []) };
}

interface Drawn {
  readonly gates: StructureVector;
  readonly resolved: StructureVector;
  /** ∂y/∂(o + b) */
  readonly slopes: Float32Array;
}

/** dy [N + 1] → gradient of the confidences [N]. */
function straightThrough(dy: Tensor, { gates, resolved, slopes }: Drawn, layout: Layout): Tensor1D {
  const given = dy.dataSync<'float32'>();
  const ofResolved = given.slice(0, layout.size);
  addStoredGradient(ofResolved, resolved, given[layout.size] ?? 0, layout);
  const ofGates = resolveGradient(gates, ofResolved, layout);
  for (let entry = 0; entry < ofGates.length; entry++)
    ofGates[entry] = (ofGates[entry] ?? 0) * (slopes[entry] ?? 0);
  return tensor1d(ofGates);
}
