import { type Model, type ParameterSpec, type Site, UserError, entriesOf } from '@winnow/core';

/** One attention or feed-forward sub-layer of the two towers, and from where it may borrow columns. */
export interface SubLayer {
  /** Path in the parameter record: `vision.blocks.3.ffn`. */
  readonly id: string;
  readonly tower: 'vision' | 'text';
  readonly layer: number;
  readonly name: string;
  readonly structure: Site['structure'];
  /** D: length of a column. */
  readonly embedDim: number;
  /** The kinds of its columns: q, k and v of an attention, the hidden units of a feed-forward network. */
  readonly kinds: readonly ColumnKind[];
  /** Columns of each kind: H·d, or hidden units. */
  readonly columns: number;
  /** Parameters that are stored whatever is shared and pruned: the output projection of attention, without its bias. */
  readonly alwaysStored: number;
  /** H for attention; 1 for feed-forward networks. */
  readonly heads: number;
  /** The parameters that its units run through. */
  readonly couplings: Site['couplings'];
  /** Where columns can be borrowed: of vision the text sub-layer of its layer, of text the base layer of its block. */
  readonly lender: string | undefined;
}

/** Columns of a sub-layer that can be shared with those of another. */
export interface ColumnKind {
  /** `query`, `key`, `value` or `hidden`. */
  readonly name: string;
  /** Whether a pruned unit loses them: values are only shared. */
  readonly isPruned: boolean;
  /** Parameters of one column: with its bias, and of a hidden unit with the row that reads it. */
  readonly size: number;
}

/** Which kinds of sharing there are. */
export interface Sharing {
  /** Vision columns may be text columns. */
  readonly acrossTowers: boolean;
  /** Layers of the text tower whose columns the later ones of their block may use; none: every layer has its own. */
  readonly baseLayers: readonly number[];
}

/** The two towers, laid out for sharing. */
export interface Pairing {
  /** Vision's in network order, then text's: attention before the feed-forward network of a layer. */
  readonly subLayers: readonly SubLayer[];
  byId(id: string): SubLayer;
}

/**
 * Pairs the towers of a model layer by layer.
 * @throws {UserError} when there are not a vision and a text tower of the same width, depth, heads and hidden sizes.
 */
export function pairTowers(model: Pick<Model, 'sites' | 'specs'>, sharing: Sharing): Pairing {
  const shapes = new Map(entriesOf<ParameterSpec>(model.specs).map(([path, { shape }]) => [path, shape]));
  const towers = (['vision', 'text'] as const).map((tower) => {
    const sites = model.sites.filter((site) => site.tower === tower);
    return sites.map((site) => subLayerOf(site, tower, shapes));
  });
  const [vision = [], text = []] = towers;
  if (vision.length === 0 || text.length === 0 || vision.length + text.length !== model.sites.length) {
    const found = [...new Set(model.sites.map(({ tower }) => tower))].join(' and ') || 'none';
    throw new UserError(
      `sharing needs a vision tower and a text tower, got ${found}: train a dual encoder with --task retrieval`,
    );
  }
  refuseUnequal(vision, text);
  const baseOf = (layer: number): number | undefined =>
    sharing.baseLayers.filter((base) => base <= layer).at(-1);
  const place = ({ layer, name }: SubLayer) => `${layer}.${name}`;
  const textAt = new Map(text.map((subLayer) => [place(subLayer), subLayer.id]));
  const subLayers = [
    ...vision.map((subLayer) => ({
      ...subLayer,
      lender: sharing.acrossTowers ? textAt.get(place(subLayer)) : undefined,
    })),
    ...text.map((subLayer) => {
      const base = baseOf(subLayer.layer);
      const isOwn = base === undefined || base === subLayer.layer;
      return { ...subLayer, lender: isOwn ? undefined : textAt.get(place({ ...subLayer, layer: base })) };
    }),
  ];
  const index = new Map(subLayers.map((subLayer) => [subLayer.id, subLayer]));
  for (const own of subLayers) {
    const lender = own.lender === undefined ? undefined : index.get(own.lender);
    if (lender !== undefined) refuseOtherColumns(own, lender);
  }
  return {
    subLayers,
    byId: (id) => {
      const found = index.get(id);
      if (found === undefined) throw new RangeError(`${id} is not a sub-layer of the towers`);
      return found;
    },
  };
}

function subLayerOf(
  { id, layer, name, structure, units, couplings, columns: groups }: Site,
  tower: SubLayer['tower'],
  shapes: ReadonlyMap<string, readonly number[]>,
): SubLayer {
  // The first parameter that makes its units is a matrix [D, columns].
  const [made] = couplings;
  const [embedDim = 0] = shapes.get(made?.parameter ?? '') ?? [];
  const heads = made?.copies ?? 1;
  const shapeOf = (parameter: string): readonly number[] => shapes.get(parameter) ?? [];
  /** Counts the entries of a parameter in one column: the other extent of a matrix, one entry of a bias. */
  const perColumn = ({ parameter, axis }: Site['couplings'][number]): number =>
    shapeOf(parameter)[1 - axis] ?? 1;
  const kinds = groups.flatMap(({ names, prunable }) =>
    names.map((kind) => ({
      name: kind,
      isPruned: prunable,
      size: couplings
        .filter(({ columns }) => columns === kind)
        .reduce((total, coupling) => total + perColumn(coupling), 0),
    })),
  );
  const alwaysStored = couplings
    .filter(({ columns }) => columns === undefined)
    .reduce(
      (total, { parameter }) => total + shapeOf(parameter).reduce((size, extent) => size * extent, 1),
      0,
    );
  return {
    id,
    tower,
    layer,
    name,
    structure,
    embedDim,
    kinds,
    columns: heads * units,
    alwaysStored,
    heads,
    couplings,
    lender: undefined,
  };
}

/** Where a sub-layer stands in its tower, whichever layer it is of: `blocks.ffn`. */
const kindOfPlace = ({ id, tower }: SubLayer): string =>
  id
    .split('.')
    .filter((part) => part !== tower && !/^\d+$/.test(part))
    .join('.');

/** Sub-layers are paired by layer and name, so one beside the blocks would be taken for one of the last block's. */
function refuseAlone(own: readonly SubLayer[], others: readonly SubLayer[]): void {
  const places = new Set(others.map(kindOfPlace));
  const alone = own.find((subLayer) => !places.has(kindOfPlace(subLayer)));
  if (alone === undefined) return;
  throw new UserError(
    `sharing pairs the layers of two towers, and ${alone.id} has no counterpart in the other tower: ` +
      'choose a model without it, or a method that prunes and does not share (upop, say)',
  );
}

function refuseUnequal(vision: readonly SubLayer[], text: readonly SubLayer[]): void {
  refuseAlone(vision, text);
  refuseAlone(text, vision);
  const layers = (subLayers: readonly SubLayer[]) => new Set(subLayers.map(({ layer }) => layer)).size;
  if (layers(vision) !== layers(text)) {
    throw new UserError(
      `sharing needs towers of the same depth, got ${layers(vision)} vision layers and ${layers(text)} text layers: ` +
        'choose towers of one size (--model and --text-model)',
    );
  }
  const names = (subLayers: readonly SubLayer[]) =>
    [...new Set(subLayers.map(({ name }) => name))].join(', ');
  if (vision.length !== text.length || names(vision) !== names(text)) {
    throw new UserError(
      `sharing needs towers with the same sub-layers, got ${names(vision)} for vision and ${names(text)} for text`,
    );
  }
  vision.forEach((own, index) => {
    const other = text[index];
    if (other === undefined) return;
    if (own.embedDim !== other.embedDim) {
      throw new UserError(
        `sharing needs towers of the same width, got ${own.embedDim} for vision and ${other.embedDim} for text: ` +
          'choose towers of one size (--model and --text-model), such as small and small',
      );
    }
    refuseOtherColumns(own, other);
  });
}

/** The positions among the kinds of a sub-layer's columns of those that pruning takes away. */
export const prunedKinds = ({ kinds }: Pick<SubLayer, 'kinds'>): number[] =>
  kinds.flatMap(({ isPruned }, index) => (isPruned ? [index] : []));

function refuseOtherColumns(own: SubLayer, other: SubLayer): void {
  if (own.columns === other.columns && own.heads === other.heads) return;
  throw new UserError(
    `sharing needs sub-layers of the same size, got ${own.columns} columns in ${own.heads} heads at ${own.id} and ` +
      `${other.columns} in ${other.heads} at ${other.id}: start from models that were not cut`,
  );
}
