import { type Tensor2D, dispose, keep, sub } from '@tensorflow/tfjs-core';
import { resultOf } from '../layers/observe';
import type { SeenTaps } from '../layers/seen';
import {
  type ColumnMoments,
  type CountedRows,
  type JointMoments,
  type ScatterMoments,
  columnMoments,
  jointMoments,
  scatterMoments,
  withJointRows,
  withRows,
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
export function errorsOf(
  own: CutSite,
  group: SiteGroup,
  sight: DenseSight,
  stream: Stream,
  cut: ChangingWeights,
): Promise<JointMoments> {
  const { reader } = own;
  const [width, target] = cut.leaf(`${reader}.weight`).shape;
  const none = jointMoments(width ?? 0, target ?? 0);
  return overErrors(own, group, sight, stream, none, [reader], (moments, errors, { at }) =>
    at(reader).reduce(
      (all, rows, use) => withJointRows(all, rows, errors[use]?.values ?? missing()),
      moments,
    ),
  );
}

/** The moments of the error of the map that reads a site of the smaller model. The caller owns them. */
export function errorMeansOf(
  own: CutSite,
  group: SiteGroup,
  sight: DenseSight,
  stream: Stream,
  cut: ChangingWeights,
): Promise<ColumnMoments> {
  const none = columnMoments(cut.leaf(`${own.reader}.bias`).size);
  return overErrors(own, group, sight, stream, none, [], (moments, errors) =>
    errors.reduce(withRows, moments),
  );
}

/** Runs the smaller model over a group, and collects moments of the errors of the map that reads a site. */
async function overErrors<Moments extends TensorTree>(
  { reader }: CutSite,
  { block }: SiteGroup,
  { targets }: DenseSight,
  stream: Stream,
  none: Moments,
  taps: readonly string[],
  after: (before: Moments, errors: readonly CountedRows[], seen: Pick<SeenTaps, 'at'>) => Moments,
): Promise<Moments> {
  const moments = new Map([[reader, none]]);
  try {
    const part = block === undefined ? { whole: true } : { last: block };
    await stream.run(part, [...taps, resultOf(reader)], (seen, batch) => {
      const wanted = targets.get(reader)?.[batch] ?? [];
      const said = seen.at(resultOf(reader));
      if (wanted.length !== said.length) missing();
      update(moments, reader, (before) => {
        const errors = said.map(({ values, ...rows }, use) => ({
          ...rows,
          values: sub<Tensor2D>(wanted[use] ?? missing(), values),
        }));
        return after(before, errors, seen);
      });
    });
  } catch (error) {
    disposeTree([...moments.values()]);
    throw error;
  }
  return moments.get(reader) ?? none;
}

/** @throws {RangeError} as both models do not run the map as often. */
function missing(): never {
  throw new RangeError('the dense and the smaller model run a map in different ways');
}
