import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { choleskyOfRounded } from '../algebra/cholesky';
import { type Matrix, mapped, matrixFrom, product, trace, zeroMatrix } from '../algebra/matrix';
import { ridgeOf, ridged } from '../reconstruct/fit';
import { covarianceOf, hostMatrix } from '../reconstruct/host';
import { removalOrderOf } from '../reconstruct/removal-of-sums';
import type { Looking } from '../run/looking';
import { type Site, copiesOf } from '../sites/site';
import { unitsTap } from '../sites/taps';
import type { ScatterMoments } from '../statistics/moments';
import { disposeTree, entriesOf } from '../tree/tree';
import { type LogitErrors, errorsOfParts, logitErrors, valueParts } from './head-errors';
import { type Compared, type ErrorMeasure, seeGradients, seeSites } from './site-sight';

const curveSchema = z.object({
  removed: z.array(z.int().nonnegative()),
  errors: z.array(z.number()),
  best: z.array(z.number()),
});

/** A site whose units go one after the other, each time with the best correction of those that are left. */
export interface SiteCurve {
  /** All units but one, in the order in which they go. */
  readonly removed: readonly number[];
  /** The error when so many are gone, from e(0) = 0 to all but one. */
  readonly errors: readonly number[];
  /** The same where each head keeps the combinations of its dimensions that a reconstruction gives it; of hidden units the same curve. */
  readonly best: readonly number[];
}

/**
 * The error curves of all sites of a run's model from one look at some examples: OBS on the matrix that reads the units, and of
 * heads what their logits lose besides. Measured by the loss, an error δ costs ½·tr(Cov(δ)·E gᵀg), with g the gradient of an
 * example's loss there, summed over its tokens (the Kronecker factors of Wang et al., 2019, EigenDamage; here of whole units).
 * One charged forward pass, with gradients another; then host computations, which survive a kill.
 */
export async function siteCurves(
  run: Looking,
  examples: number,
  measure: ErrorMeasure,
): Promise<ReadonlyMap<string, SiteCurve>> {
  const { sites } = run.model;
  const seen = await seeSites(run, examples);
  try {
    const gradients = measure === 'loss' ? await seeGradients(run, examples) : undefined;
    try {
      const found = await run.once('error-curves', z.record(z.string(), curveSchema), async () => {
        const curves: Record<string, SiteCurve> = {};
        for (const site of sites) {
          const read = seen.read[site.id];
          if (read === undefined) throw new RangeError(`nothing was seen of ${site.id}`);
          curves[site.id] = await curveOf(run, site, {
            read,
            compared: seen.compared[site.id],
            gradients: gradients?.read[site.id],
            queryGradients: gradients?.query[site.id],
            examples,
          });
          await new Promise((resolve) => setImmediate(resolve));
        }
        return curves;
      });
      return new Map(Object.entries(found));
    } finally {
      if (gradients !== undefined) disposeTree(gradients);
    }
  } finally {
    disposeTree(seen);
  }
}

interface SiteSeen {
  readonly read: ScatterMoments;
  readonly compared: Compared | undefined;
  /** Σ gᵀg; undefined where the output itself measures. */
  readonly gradients: Tensor2D | undefined;
  readonly queryGradients: Tensor3D | undefined;
  readonly examples: number;
}

async function curveOf({ params }: Looking, site: Site, seen: SiteSeen): Promise<SiteCurve> {
  const path = `${unitsTap(site)}.weight`;
  const leaf = new Map(entriesOf(params)).get(path);
  if (leaf === undefined) throw new RangeError(`the model has no parameter ${path}`);
  const { covariance, count } = await covarianceOf(seen.read);
  const copies = copiesOf(site);
  const read = await hostMatrix(leaf);
  const weight = await measured(read, seen);
  const values = seen.compared === undefined ? undefined : valueParts(covariance, read, weight, copies);
  const logits = values === undefined ? undefined : await logitsOf(seen, count, sumOf(values));
  const ridge = trace(covariance) === 0 ? 1 : ridgeOf({ covariance, count });
  const { removed, errors } = removalOrderOf({ sums: seen.read.scatter, scale: 1 / count, ridge }, weight, {
    count: site.units - 1,
    copies,
    ...(logits === undefined ? {} : { added: logits.alone }),
  });
  const own = [0, ...errors];
  const best = values?.map((value, part) => value + (logits?.parts[part] ?? 0));
  const whole =
    seen.gradients === undefined ? Math.max(own.at(-1) ?? 0, Number.MIN_VALUE) : 2 * seen.examples;
  const perWhole = (curve: readonly number[]) => curve.map((error) => error / whole);
  return { removed, errors: perWhole(own), best: perWhole(best === undefined ? own : errorsOfParts(best)) };
}

/** W·L with L·Lᵀ = Σ gᵀg, so that squared lengths are losses; as many gradients as there are leave a ridge. */
async function measured(weight: Matrix, { gradients, examples }: SiteSeen): Promise<Matrix> {
  if (gradients === undefined) return weight;
  const products = await hostMatrix(gradients);
  if (trace(products) === 0) return zeroMatrix(weight.rows, weight.columns);
  const ridge = ridgeOf({ count: examples, covariance: products });
  return product(weight, choleskyOfRounded(ridged(products, ridge)));
}

/** The errors of logits by what the loss minds, or where that is not known as a share of their own, times what values give. */
async function logitsOf(
  { compared, gradients, queryGradients }: SiteSeen,
  rows: number,
  values: number,
): Promise<LogitErrors | undefined> {
  if (compared === undefined) return undefined;
  const [queries, keys, minded] = [
    await perHead(compared.query),
    await perHead(compared.key),
    gradients === undefined || queryGradients === undefined ? [] : await perHead(queryGradients),
  ];
  const { alone, parts } = logitErrors(
    queries.map((own, head) => ({
      query: mapped(own, (value) => value / rows),
      key: keys[head] ?? own,
      minded: minded[head],
    })),
  );
  if (minded.length > 0) return { alone, parts };
  const share = values / Math.max(sumOf(parts), Number.MIN_VALUE);
  return { alone: alone.map((own) => own * share), parts: parts.map((own) => own * share) };
}

/** [H, d, d] → a matrix for each head. */
async function perHead(products: Tensor3D): Promise<Matrix[]> {
  const [heads, d] = products.shape;
  const values = await products.data<'float32'>();
  return Array.from({ length: heads }, (_, head) =>
    matrixFrom(values.subarray(head * d * d, (head + 1) * d * d), d, d),
  );
}

const sumOf = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
