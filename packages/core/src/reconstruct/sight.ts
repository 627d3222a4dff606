import { type Tensor2D, dispose, keep, sub } from '@tensorflow/tfjs-core';
import { resultOf } from '../layers/observe';
import type { SeenTensor } from '../layers/seen';
import {
  type JointMoments,
  type ScatterMoments,
  jointMoments,
  scatterMoments,
  withJointRows,
  withScatter,
} from '../statistics/moments';
import { type TensorTree, disposeTree, leavesOf, tidyTree } from '../tree/tree';
import { type HeadMoments, headMoments, withHeads, writeHeads } from './attention';
import type { AttentionMaps } from './attention-maps';
import type { SiteGroup } from './groups';
import type { ReconstructionKind } from './kind';
import { type CutSite, chosenUnits, recut } from './site';
import type { Stream } from './stream';
import type { ChangingWeights } from './weights';

/** Results of the dense model at the sites of a group. */
export interface DenseSight {
  /** The results of the map that reads a site, batch by batch, and of each batch once for each time that it is run. */
  readonly targets: ReadonlyMap<string, readonly (readonly Tensor2D[])[]>;
  readonly heads: ReadonlyMap<string, HeadMoments>;
  readonly hidden: ReadonlyMap<string, ScatterMoments>;
  dispose(): void;
}

/** Runs the dense model over a group, and on to the beginning of the next one. */
export async function seeDense(
  { block, sites }: SiteGroup,
  next: string | undefined,
  kind: ReconstructionKind,
  stream: Stream,
): Promise<DenseSight> {
  const targets = new Map(sites.map(({ reader }): [string, Tensor2D[][]] => [reader, []]));
  const heads = new Map<string, HeadMoments>();
  const hidden = new Map<string, ScatterMoments>();
  const attentions = kind === 'bias' ? [] : sites.flatMap((own) => compared(own));
  const chosen = kind === 'project' ? sites.filter(isChosenAnew) : [];
  for (const { reader, attention } of attentions) heads.set(reader, headMoments(attention));
  for (const { site, reader } of chosen) hidden.set(reader, scatterMoments(site.units));
  const dispose_ = (): void => {
    dispose([...targets.values()].flat(2));
    disposeTree([...heads.values(), ...hidden.values()]);
  };
  const taps = [
    ...sites.map(({ reader }) => resultOf(reader)),
    ...attentions.flatMap(({ reader, attention: { query, key } }) => [
      reader,
      resultOf(query),
      resultOf(key),
    ]),
    ...chosen.map(({ reader }) => reader),
  ];
  const end = block === undefined ? { whole: true } : next === undefined ? { last: block } : { until: next };
  try {
    await stream.run(end, taps, ({ at }) => {
      for (const [reader, kept] of targets) {
        kept.push(at(resultOf(reader)).map(({ values }) => keep(values.clone())));
      }
      for (const { reader, attention } of attentions) {
        const [queries, keys, outputs] = [
          at(resultOf(attention.query)),
          at(resultOf(attention.key)),
          at(reader),
        ];
        update(heads, reader, (before) =>
          queries.reduce((moments, query, use) => {
            const [key, output] = [keys[use], outputs[use]];
            return key === undefined || output === undefined
              ? moments
              : withHeads(moments, attention, { query, key, output });
          }, before),
        );
      }
      for (const reader of hidden.keys()) {
        update(hidden, reader, (before) => at(reader).reduce(withScatter, before));
      }
    });
  } catch (error) {
    dispose_();
    throw error;
  }
  return { targets, heads, hidden, dispose: dispose_ };
}

/** Hidden units, of which a projection takes the number alone. */
const isChosenAnew = ({ attention, site }: CutSite): boolean =>
  attention === undefined && site.whole === undefined;

const compared = (own: CutSite): { reader: string; attention: AttentionMaps }[] =>
  own.attention === undefined ? [] : [{ reader: own.reader, attention: own.attention }];

/** Replaces moments by those after more rows. */
function update<Moments extends TensorTree>(
  all: Map<string, Moments>,
  key: string,
  after: (before: Moments) => Moments,
): void {
  const before = all.get(key);
  if (before === undefined) return;
  const merged = tidyTree(() => after(before));
  const left = new Set(leavesOf(merged));
  dispose(leavesOf(before).filter((leaf) => !left.has(leaf)));
  all.set(key, merged);
}

/**
 * Puts a site of the smaller model on the bases that the kind asks for, before its reader is corrected.
 * @returns the units of the dense model that stay.
 */
export async function rebase(
  own: CutSite,
  kind: ReconstructionKind,
  { heads, hidden }: DenseSight,
  weights: { readonly dense: ChangingWeights; readonly cut: ChangingWeights },
): Promise<readonly number[]> {
  const { reader, attention, kept } = own;
  const [moments, units] = [heads.get(reader), hidden.get(reader)];
  if (attention !== undefined && moments !== undefined) {
    const bases =
      kind === 'units' ? ({ kind: 'kept', kept } as const) : ({ kind: 'free', r: kept.length } as const);
    await writeHeads(attention, reader, moments, bases, weights.dense, weights.cut);
  }
  if (units === undefined) return kept;
  const chosen = await chosenUnits(own, units, weights.dense);
  recut(own, chosen, weights.dense, weights.cut);
  return chosen;
}

/** The moments of a site of the smaller model, beside the error of the map that reads it. The caller owns the moments. */
export async function errorsOf(
  { reader }: CutSite,
  { block }: SiteGroup,
  { targets }: DenseSight,
  stream: Stream,
  cut: ChangingWeights,
): Promise<JointMoments> {
  const [width, target] = cut.leaf(`${reader}.weight`).shape;
  const moments = new Map([[reader, jointMoments(width ?? 0, target ?? 0)]]);
  try {
    const part = block === undefined ? { whole: true } : { last: block };
    await stream.run(part, [reader, resultOf(reader)], ({ at }, batch) => {
      const wanted = targets.get(reader)?.[batch] ?? [];
      const said = at(resultOf(reader));
      update(moments, reader, (before) =>
        at(reader).reduce((all, rows, use) => withError(all, rows, wanted[use], said[use]), before),
      );
    });
  } catch (error) {
    disposeTree([...moments.values()]);
    throw error;
  }
  const found = moments.get(reader);
  if (found === undefined) throw new RangeError(`nothing was seen at ${reader}`);
  return found;
}

/** @throws {RangeError} when both models do not run the map as often. */
function withError(
  moments: JointMoments,
  rows: SeenTensor,
  wanted: Tensor2D | undefined,
  said: SeenTensor | undefined,
): JointMoments {
  if (wanted === undefined || said === undefined)
    throw new RangeError('the dense and the smaller model run a map in different ways');
  return withJointRows(moments, rows, sub(wanted, said.values));
}
