/** The operations as one would write them on paper, in float64; matrices are row-major lists. */
type Values = readonly number[];

const at = (values: Values, index: number): number => values[index] ?? Number.NaN;
const total = (values: Values): number => values.reduce((sum, value) => sum + value, 0);
const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

export function plainLinear(rows: number, inDim: number, outDim: number) {
  return (x: Values, weight: Values, bias: Values): number[] =>
    range(rows * outDim).map((i) => {
      const [row, column] = [Math.floor(i / outDim), i % outDim];
      const products = range(inDim).map((k) => at(x, row * inDim + k) * at(weight, k * outDim + column));
      return total(products) + at(bias, column);
    });
}

export function plainLayerNorm(rows: number, dim: number, epsilon: number) {
  return (x: Values, weight: Values, bias: Values): number[] =>
    range(rows).flatMap((row) => {
      const values = x.slice(row * dim, (row + 1) * dim);
      const mean = total(values) / dim;
      const variance = total(values.map((value) => (value - mean) ** 2)) / dim;
      return values.map(
        (value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * at(weight, i) + at(bias, i),
      );
    });
}

/** Φ by the series of the error function, which converges for all that a test needs. */
function normalDistribution(x: number): number {
  const z = x / Math.SQRT2;
  let [term, sum] = [z, z];
  for (let n = 1; n < 120; n++) {
    term *= (-z * z) / n;
    sum += term / (2 * n + 1);
  }
  return 0.5 + sum / Math.sqrt(Math.PI);
}

export const plainGelu = (x: Values): number[] => x.map((value) => value * normalDistribution(value));
export const plainGeluTanh = (x: Values): number[] =>
  x.map((value) => (value / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3))));
export const plainQuickGelu = (x: Values): number[] =>
  x.map((value) => value / (1 + Math.exp(-1.702 * value)));

export interface PlainAttentionShape {
  readonly batch: number;
  readonly tokens: number;
  readonly heads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  readonly scale: number;
  readonly causal: boolean;
}

export function plainAttention({
  batch,
  tokens,
  heads,
  keyDim,
  valueDim,
  scale,
  causal,
}: PlainAttentionShape) {
  return (query: Values, key: Values, value: Values): number[] => {
    const output = new Array<number>(batch * tokens * heads * valueDim).fill(0);
    const entry = (b: number, t: number, h: number, d: number, dim: number) =>
      ((b * tokens + t) * heads + h) * dim + d;
    for (const b of range(batch)) {
      for (const h of range(heads)) {
        for (const t of range(tokens)) {
          const seen = range(causal ? t + 1 : tokens);
          const exponentials = seen.map((s) =>
            Math.exp(
              scale *
                total(
                  range(keyDim).map(
                    (d) => at(query, entry(b, t, h, d, keyDim)) * at(key, entry(b, s, h, d, keyDim)),
                  ),
                ),
            ),
          );
          for (const d of range(valueDim)) {
            output[entry(b, t, h, d, valueDim)] =
              total(seen.map((s) => at(exponentials, s) * at(value, entry(b, s, h, d, valueDim)))) /
              total(exponentials);
          }
        }
      }
    }
    return output;
  };
}

export function plainCrossEntropy(classes: number, targets: Values) {
  return (logits: Values): number[] => {
    const batch = logits.length / classes;
    const losses = range(batch).map((row) => {
      const values = logits.slice(row * classes, (row + 1) * classes);
      const logSum = Math.log(total(values.map(Math.exp)));
      return total(values.map((value, k) => at(targets, row * classes + k) * (logSum - value)));
    });
    return [total(losses) / batch];
  };
}

/** Parameter [copies·units, width] along axis 0 or [rows, copies·units] along axis 1, row-major. */
export function plainScaleUnits(units: number, width: number) {
  return (parameter: Values, scale: Values): number[] =>
    parameter.map((value, i) => value * at(scale, Math.floor(i / width) % units));
}

export function plainGatherRows(width: number, rows: readonly number[]) {
  return (table: Values): number[] => rows.flatMap((row) => table.slice(row * width, (row + 1) * width));
}

/** The sum over all logits of −log σ(±logit), over the rows. */
export function plainSigmoidCrossEntropy(columns: number, targets: Values) {
  return (logits: Values): number[] => [
    total(
      logits.map((logit, i) => {
        const yes = 1 / (1 + Math.exp(-logit));
        return -at(targets, i) * Math.log(yes) - (1 - at(targets, i)) * Math.log(1 - yes);
      }),
    ) /
      (logits.length / columns),
  ];
}
