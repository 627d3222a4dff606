import * as tf from '@tensorflow/tfjs-core';

/** The core's fused operations as TensorFlow.js compositions, as in packages/core/src/operations. */
type Inputs = Readonly<Record<string, tf.Tensor>>;
type Attributes = Readonly<Record<string, number | boolean>>;

const need = (inputs: Inputs, name: string): tf.Tensor => {
  const input = inputs[name];
  if (input === undefined) throw new Error(`expected an input "${name}"`);
  return input;
};
const number = (attributes: Attributes, name: string): number => Number(attributes[name]);

export function linear(inputs: Inputs): tf.Tensor[] {
  return [tf.add(tf.matMul(need(inputs, 'x'), need(inputs, 'weight')), need(inputs, 'bias'))];
}

export function linearGradient(inputs: Inputs): tf.Tensor[] {
  const dy = need(inputs, 'dy');
  return [
    tf.matMul(dy, need(inputs, 'weight'), false, true),
    tf.matMul(need(inputs, 'x'), dy, true, false),
    tf.sum(dy, 0),
  ];
}

export function layerNorm(inputs: Inputs, attributes: Attributes): tf.Tensor[] {
  const x = need(inputs, 'x');
  const centered = tf.sub(x, tf.mean(x, 1, true));
  const variance = tf.mean(tf.square(centered), 1, true);
  const inverseDeviation = tf.rsqrt(tf.add(variance, number(attributes, 'epsilon')));
  const normalized = tf.mul(centered, inverseDeviation);
  const value = tf.add(tf.mul(normalized, need(inputs, 'weight')), need(inputs, 'bias'));
  return [value, normalized, inverseDeviation];
}

export function layerNormGradient(inputs: Inputs): tf.Tensor[] {
  const [dy, normalized] = [need(inputs, 'dy'), need(inputs, 'normalized')];
  const g = tf.mul(dy, need(inputs, 'weight'));
  const projected = tf.mul(normalized, tf.mean(tf.mul(g, normalized), 1, true));
  const centered = tf.sub(tf.sub(g, tf.mean(g, 1, true)), projected);
  return [
    tf.mul(centered, need(inputs, 'inverseDeviation')),
    tf.sum(tf.mul(dy, normalized), 0),
    tf.sum(dy, 0),
  ];
}

export function gelu(inputs: Inputs): tf.Tensor[] {
  const x = need(inputs, 'x');
  const cdf = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
  return [tf.mul(x, cdf), cdf];
}

export function geluGradient(inputs: Inputs): tf.Tensor[] {
  const x = need(inputs, 'x');
  const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return [tf.mul(need(inputs, 'dy'), tf.add(need(inputs, 'cdf'), tf.mul(x, density)))];
}

export function geluTanh(inputs: Inputs): tf.Tensor[] {
  const x = need(inputs, 'x');
  const cubed = tf.add(x, tf.mul(tf.mul(x, tf.square(x)), 0.044715));
  const gate = tf.mul(tf.add(tf.tanh(tf.mul(cubed, Math.sqrt(2 / Math.PI))), 1), 0.5);
  return [tf.mul(x, gate), gate];
}

export function geluTanhGradient(inputs: Inputs): tf.Tensor[] {
  const x = need(inputs, 'x');
  const gate = geluTanh(inputs)[1];
  if (gate === undefined) throw new Error('expected a gate');
  const slope = tf.mul(tf.add(tf.mul(tf.square(x), 3 * 0.044715), 1), Math.sqrt(8 / Math.PI));
  const bent = tf.mul(tf.mul(x, slope), tf.sub(1, gate));
  return [tf.mul(need(inputs, 'dy'), tf.mul(gate, tf.add(bent, 1)))];
}

export function quickGelu(inputs: Inputs): tf.Tensor[] {
  const x = need(inputs, 'x');
  const gate = tf.sigmoid(tf.mul(x, 1.702));
  return [tf.mul(x, gate), gate];
}

export function quickGeluGradient(inputs: Inputs): tf.Tensor[] {
  const gate = need(inputs, 'gate');
  const slope = tf.mul(tf.mul(need(inputs, 'x'), 1.702), tf.sub(1, gate));
  return [tf.mul(need(inputs, 'dy'), tf.mul(gate, tf.add(slope, 1)))];
}

/** [B·T, H·d] → [B·H, T, d] */
function split(x: tf.Tensor, attributes: Attributes): tf.Tensor {
  const [batch, tokens, heads] = ['batch', 'tokens', 'heads'].map((name) => number(attributes, name));
  if (batch === undefined || tokens === undefined || heads === undefined) throw new Error('expected a shape');
  const dim = (x.shape[1] ?? 0) / heads;
  const perHead = tf.transpose(tf.reshape(x, [batch, tokens, heads, dim]), [0, 2, 1, 3]);
  return tf.reshape(perHead, [batch * heads, tokens, dim]);
}

/** [B·H, T, d] → [B·T, H·d] */
function merge(x: tf.Tensor, attributes: Attributes): tf.Tensor {
  const [batch, tokens, heads] = ['batch', 'tokens', 'heads'].map((name) => number(attributes, name));
  if (batch === undefined || tokens === undefined || heads === undefined) throw new Error('expected a shape');
  const dim = x.shape[2] ?? 0;
  const perToken = tf.transpose(tf.reshape(x, [batch, heads, tokens, dim]), [0, 2, 1, 3]);
  return tf.reshape(perToken, [batch * tokens, heads * dim]);
}

export function attention(inputs: Inputs, attributes: Attributes): tf.Tensor[] {
  const [q, k, v] = ['query', 'key', 'value'].map((name) => split(need(inputs, name), attributes));
  if (q === undefined || k === undefined || v === undefined) throw new Error('expected three inputs');
  const tokens = number(attributes, 'tokens');
  const later = Array.from({ length: tokens }, (_, row) =>
    Array.from({ length: tokens }, (_, column) => (attributes['causal'] && column > row ? -1e9 : 0)),
  );
  const scores = tf.mul(tf.matMul(q, k, false, true), number(attributes, 'scale'));
  const probabilities = tf.softmax(tf.add(scores, tf.tensor2d(later)));
  return [merge(tf.matMul(probabilities, v), attributes), probabilities];
}

export function attentionGradient(inputs: Inputs, attributes: Attributes): tf.Tensor[] {
  const names = ['query', 'key', 'value', 'dy'];
  const [q, k, v, dOutput] = names.map((name) => split(need(inputs, name), attributes));
  if (!q || !k || !v || !dOutput) throw new Error('expected four inputs');
  const probabilities = need(inputs, 'probabilities');
  const weighted = tf.mul(tf.matMul(dOutput, v, false, true), probabilities);
  const centered = tf.sub(weighted, tf.mul(probabilities, tf.sum(weighted, -1, true)));
  const dScores = tf.mul(centered, number(attributes, 'scale'));
  return [
    merge(tf.matMul(dScores, k), attributes),
    merge(tf.matMul(dScores, q, true, false), attributes),
    merge(tf.matMul(probabilities, dOutput, true, false), attributes),
  ];
}

export function softmaxCrossEntropy(inputs: Inputs): tf.Tensor[] {
  const [logits, targets] = [need(inputs, 'logits'), need(inputs, 'targets')];
  const batch = logits.shape[0] ?? 1;
  const logProbabilities = tf.logSoftmax(logits);
  const loss = tf.div(tf.neg(tf.sum(tf.mul(targets, logProbabilities))), batch);
  return [loss, tf.div(tf.sub(tf.exp(logProbabilities), targets), batch)];
}

export function adamW(inputs: Inputs, attributes: Attributes): tf.Tensor[] {
  const of = (name: string) => number(attributes, name);
  const [beta1, beta2, iteration] = [of('beta1'), of('beta2'), of('iteration')];
  const gradient = need(inputs, 'gradient');
  const mean = tf.add(tf.mul(need(inputs, 'mean'), beta1), tf.mul(gradient, 1 - beta1));
  const variance = tf.add(tf.mul(need(inputs, 'variance'), beta2), tf.mul(tf.square(gradient), 1 - beta2));
  const root = tf.div(tf.sqrt(variance), Math.sqrt(1 - beta2 ** iteration));
  const step = tf.mul(
    tf.div(mean, tf.add(root, of('epsilon'))),
    of('learningRate') / (1 - beta1 ** iteration),
  );
  const decayed = tf.mul(need(inputs, 'parameter'), 1 - of('learningRate') * of('weightDecay'));
  return [tf.sub(decayed, step), mean, variance];
}
