import type { AccountLine } from '../account/account';
import type { Cost, Site } from '../sites/site';
import { joinPath } from '../tree/path';
import { type Tree, mapRecord, pickTree } from '../tree/tree';
import type { ParameterSpec } from './parameter';

/** One use of a layer on one example. */
export interface Use {
  /** Tokens that go through it; of an attention, those that ask. */
  readonly tokens: number;
  /** Tokens that an attention looks at, where they are not the ones that ask. */
  readonly context?: number;
}

/** Where a layer stands, which it needs to know to name its parts. */
export interface Place {
  /** Path in the model's record, `vision.blocks.3.attention`; empty for the model itself. */
  readonly path: string;
  /** Path in the model's configuration of the record that states its widths, `vision.tower.blocks.3`. */
  readonly config: string;
  /** The modality: `vision`, `text`. */
  readonly tower: string;
  /** Path in the model's record of that tower; empty where it is the model itself. */
  readonly towerPath: string;
  /** Number of the block in its tower. */
  readonly layer: number;
  /** Path in the model's record of that block; undefined outside of blocks. */
  readonly block: string | undefined;
  /** Path in the configuration of the list of that block and its like, where each adds to what goes through it and may be left out. */
  readonly stack?: string;
  /** Its uses on one example: one for each time that its parameters are run. */
  readonly uses: readonly Use[];
}

/** A layer's places to cut and its cost, where it stands. */
export interface Description {
  readonly sites: readonly Site[];
  readonly lines: readonly AccountLine[];
}

/** A part of a model, described once: its parameters, and what they cost and give up wherever it stands. */
export interface Layer<Specs extends Tree<ParameterSpec> = Tree<ParameterSpec>> {
  readonly specs: Specs;
  describe(place: Place): Description;
}

/** The place of a whole model. */
export const modelPlace = (tower: string): Place => ({
  path: '',
  config: '',
  tower,
  towerPath: '',
  layer: 0,
  block: undefined,
  uses: [],
});

/** The place of what stands under `key` in the record. */
const below = (place: Place, key: string): Place => ({ ...place, path: joinPath(place.path, key) });

const joined = (descriptions: readonly Description[]): Description => ({
  sites: descriptions.flatMap(({ sites }) => sites),
  lines: descriptions.flatMap(({ lines }) => lines),
});

type SpecsOf<Part> = Part extends Layer<infer Specs> ? Specs : never;
type RecordSpecs<Parts> = { [Key in keyof Parts]: SpecsOf<Parts[Key]> };

/** Layers as one, under their names: the record's specifications, sites and costs in this order. */
export function together<Parts extends Readonly<Record<string, Layer>>>(
  parts: Parts,
): Layer<RecordSpecs<Parts>> {
  return {
    specs: mapRecord<Layer, RecordSpecs<Parts>>(parts, ({ specs }) => specs),
    describe: (place) =>
      joined(Object.entries(parts).map(([key, layer]) => layer.describe(below(place, key)))),
  };
}

/**
 * Layers one after another: entry i is block i of its tower, and its widths stand at entry i of the configuration's list.
 * @param isResidual Whether each adds to what goes through it, so that what is left is a model when whole ones go.
 */
export function stack<Specs extends Tree<ParameterSpec>>(
  layers: readonly Layer<Specs>[],
  config: string,
  { isResidual = false }: { readonly isResidual?: boolean } = {},
): Layer<Specs[]> {
  return {
    specs: layers.map(({ specs }) => specs),
    describe: (place) =>
      joined(
        layers.map((each, layer) => {
          const own = below(place, String(layer));
          const list = joinPath(place.config, config);
          const widths = joinPath(list, String(layer));
          const stacked = isResidual ? { stack: list } : {};
          return each.describe({ ...own, config: widths, layer, block: own.path, ...stacked });
        }),
      ),
  };
}

/** The same layer, of which more is known: the tower that it is, where its configuration stands, how it is used. */
export function placed<Specs extends Tree<ParameterSpec>>(
  {
    tower,
    config,
    uses,
    block,
  }: {
    readonly tower?: string;
    readonly config?: string;
    readonly uses?: readonly Use[];
    /** The number of the block that it is by itself, outside of a stack. */
    readonly block?: number;
  },
  layer: Layer<Specs>,
): Layer<Specs> {
  return {
    specs: layer.specs,
    describe: (place) =>
      layer.describe({
        ...place,
        config: config === undefined ? place.config : joinPath(place.config, config),
        ...(tower === undefined ? {} : { tower, towerPath: place.path }),
        ...(uses === undefined ? {} : { uses }),
        ...(block === undefined ? {} : { layer: block, block: place.path }),
      }),
  };
}

/** The same layer, where of the tokens that come to its place others reach it. */
export function usedBy<Specs extends Tree<ParameterSpec>>(
  tokensOf: (tokens: number) => number,
  layer: Layer<Specs>,
): Layer<Specs> {
  return {
    specs: layer.specs,
    describe: (place) =>
      layer.describe({
        ...place,
        uses: place.uses.map((use) => ({ ...use, tokens: tokensOf(use.tokens) })),
      }),
  };
}

/** The same layer, of which all parameters stand under so many layers of their tower, the head among them. */
export function beneath<Specs extends Tree<ParameterSpec>>(
  layersAbove: number,
  layer: Layer<Specs>,
): Layer<Specs> {
  return {
    specs: pickTree<ParameterSpec, Specs>(layer.specs, (spec) => ({ ...spec, layersAbove })),
    describe: (place) => layer.describe(place),
  };
}

/** The same layer, of which nothing is ever cut: it has its cost, and no sites. */
export function uncut<Specs extends Tree<ParameterSpec>>(layer: Layer<Specs>): Layer<Specs> {
  return {
    specs: layer.specs,
    describe: (place) => ({ sites: [], lines: layer.describe(place).lines }),
  };
}

/** The same layer, run so many times on one example with the same parameters, whatever it is used for by itself. */
export function repeated<Specs extends Tree<ParameterSpec>>(
  times: number,
  layer: Layer<Specs>,
): Layer<Specs> {
  return {
    specs: layer.specs,
    describe: (place) => {
      const { sites, lines } = layer.describe(place);
      const often = ({ parameters, macs }: Cost): Cost => ({ parameters, macs: times * macs });
      return {
        sites: sites.map((site) => ({ ...site, unitCost: often(site.unitCost) })),
        lines: lines.map(({ part, ...cost }) => ({ part, ...often(cost) })),
      };
    },
  };
}

/** A parameter by itself, which multiplies nothing: an embedding, a token, positions. */
export function bare(spec: ParameterSpec): Layer<ParameterSpec> {
  const parameters = spec.shape.reduce((product, extent) => product * extent, 1);
  return {
    specs: spec,
    describe: ({ path }) => ({ sites: [], lines: [{ part: path, parameters, macs: 0 }] }),
  };
}
