import { type Tensor1D, type Tensor2D, type Tensor3D, add, mul, reshape, zeros } from '@tensorflow/tfjs-core';
import { resultOf } from '../layers/observe';
import { type AttentionMaps, attentionMapsOf } from '../reconstruct/attention-maps';
import type { Looking } from '../run/looking';
import { columnsOf } from '../decision/share';
import { unitsTap } from '../sites/taps';
import type { Site } from '../sites/site';
import { headProducts, withinSequences } from '../statistics/head-products';
import { type ScatterMoments, scatterMoments, withScatter } from '../statistics/moments';
import { entriesOf, lendTree, mapTree, tidyTree } from '../tree/tree';

/** Products of a head's queries, and of its keys about the means of their sequences; [H, d, d] each. */
export type Compared = { query: Tensor3D; key: Tensor3D };

/** Moments of what is read of each site, and of heads that compare. */
export type Seen = { read: Record<string, ScatterMoments>; compared: Record<string, Compared> };

const looks = { activations: 'statistics', gradients: 'output-gradients' } as const;

/** The names of the observations that error curves are made of, as a plan lists them. */
export const siteLooks = (measure: ErrorMeasure): string[] =>
  measure === 'loss' ? [looks.activations, looks.gradients] : [looks.activations];

/** The measures of an error: the loss that it costs, to second order; or its share of the variance of what a site gives. */
export const errorMeasures = ['loss', 'output'] as const;
export type ErrorMeasure = (typeof errorMeasures)[number];

/** Examples that are seen at once: the hidden units of all layers are held of each. */
const AT_ONCE = 8;

const attentionsOf = (sites: readonly Site[]): { site: Site; maps: AttentionMaps }[] =>
  sites.flatMap((site) => {
    const maps = attentionMapsOf(site);
    return maps === undefined ? [] : [{ site, maps }];
  });

const must = <Found>(found: Found | undefined, what: string): Found => {
  if (found === undefined) throw new RangeError(`nothing is known of ${what}`);
  return found;
};

/** Sees the sites of a run's model on some examples: one forward pass, without labels. The caller owns the tensors. */
export function seeSites(run: Looking, examples: number): Promise<Seen> {
  const { sites } = run.model;
  const attentions = attentionsOf(sites);
  const nothing: Seen = {
    read: Object.fromEntries(sites.map((site) => [site.id, scatterMoments(columnsOf(site))])),
    compared: Object.fromEntries(
      attentions.map(({ site, maps: { heads: H, headDim: d } }) => [
        site.id,
        { query: zeros([H, d, d]), key: zeros([H, d, d]) },
      ]),
    ),
  };
  return lendTree(nothing, (state) =>
    run.observe(looks.activations, {
      examples,
      atOnce: AT_ONCE,
      at: [
        ...sites.map(unitsTap),
        ...attentions.flatMap(({ maps: { query, key } }) => [resultOf(query), resultOf(key)]),
      ],
      state,
      onBatch: ({ at }, before) => ({
        read: Object.fromEntries(
          sites.map((site) => [
            site.id,
            at(unitsTap(site)).reduce(
              (moments, rows) => tidyTree(() => withScatter(moments, rows)),
              must(before.read[site.id], site.id),
            ),
          ]),
        ),
        compared: Object.fromEntries(
          attentions.map(({ site: { id }, maps: { query, key, heads } }) => {
            const own = must(before.compared[id], id);
            return [
              id,
              {
                query: at(resultOf(query)).reduce(
                  (sum, rows) => add(sum, headProducts(rows, heads)),
                  own.query,
                ),
                key: at(resultOf(key)).reduce(
                  (sum, rows) => add(sum, headProducts({ ...rows, values: withinSequences(rows) }, heads)),
                  own.key,
                ),
              },
            ];
          }),
        ),
      }),
    }),
  );
}

/** Sums of products of the gradients of what is added: [D, D] of the maps that read sites, [H, d, d] of queries; by site. */
export type Gradients = { read: Record<string, Tensor2D>; query: Record<string, Tensor3D> };

/**
 * Sees how much the loss minds what a site's reader gives, and a head's queries: gradients of their biases, example by example where
 * the loss allows it, so summed over the tokens. One forward and one backward pass. The caller owns the tensors.
 */
export async function seeGradients(run: Looking, examples: number): Promise<Gradients> {
  const { sites } = run.model;
  const leaves = new Map(entriesOf(run.params));
  const readers = sites.map((site) => ({ id: site.id, path: `${unitsTap(site)}.bias` }));
  const queries = attentionsOf(sites)
    .map(({ site: { id }, maps }) => ({ id, path: `${maps.query}.bias`, heads: maps.heads }))
    .filter(({ path }) => leaves.has(path));
  const widthOf = (path: string): number => must(leaves.get(path), path).size;
  const nothing: Gradients = {
    read: Object.fromEntries(readers.map(({ id, path }) => [id, zeros([widthOf(path), widthOf(path)])])),
    query: Object.fromEntries(
      queries.map(({ id, path, heads: H }) => [id, zeros([H, widthOf(path) / H, widthOf(path) / H])]),
    ),
  };
  const biases: Record<string, Tensor1D> = Object.fromEntries(
    [...readers, ...queries].map(({ path }): [string, Tensor1D] => [
      path,
      reshape(must(leaves.get(path), path), [-1]),
    ]),
  );
  return lendTree({ nothing, biases }, ({ nothing: state }) =>
    run.sensitivities(looks.gradients, {
      examples,
      params: biases,
      objective: (own) => ({ params: mapTree(run.params, (leaf, path) => own[path] ?? leaf) }),
      perExample: true,
      state,
      onGradients: ({ gradients, size }, sums) => {
        const productsOf = (path: string, heads: number): Tensor3D => {
          const gradient = must(gradients[path], path);
          const width = gradient.size / heads;
          const products = mul(reshape(gradient, [heads, width, 1]), reshape(gradient, [heads, 1, width]));
          return mul(products, size);
        };
        return {
          read: Object.fromEntries(
            readers.map(({ id, path }) => {
              const before = must(sums.read[id], id);
              return [id, add(before, reshape(productsOf(path, 1), before.shape))];
            }),
          ),
          query: Object.fromEntries(
            queries.map(({ id, path, heads }) => [
              id,
              add(must(sums.query[id], id), productsOf(path, heads)),
            ]),
          ),
        };
      },
    }),
  );
}
