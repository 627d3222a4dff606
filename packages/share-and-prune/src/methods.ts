import { type CompressionMethod, type Manifest, type Model, UserError, defineMethod } from '@winnow/core';
import type { z } from 'zod';
import { checkFullSharing, shareFully } from './full-sharing';
import {
  type AlignmentOptions,
  type StructureOptions,
  blockOptions,
  fullSharingOptions,
  pairedOptions,
  unalignedOptions,
} from './options';
import { type Pairing, pairTowers } from './pairing';
import { structureDuration } from './schedule';
import { shareAndPrune } from './search';
import { type SettingName, settings, sharingIn } from './setting';
import { checkReachable } from './target';

const paper =
  'Gao et al., Learning to Jointly Share and Prune Weights for Grounding Based Vision and Language Tasks, ICLR 2023';

const manifest = (name: SettingName, title: string, summary: string): Manifest => ({
  name,
  title,
  family: 'share-and-prune',
  sharesColumns: true,
  paper,
  summary,
});

/** @throws {UserError} when the towers are not alike, or have fewer layers than blocks are asked for. */
function pairingFor(model: Model, name: SettingName, blocks = 1): Pairing {
  const layers = new Set(model.sites.flatMap(({ tower, layer }) => (tower === 'text' ? [layer] : []))).size;
  const pairing = pairTowers(model, sharingIn(settings[name], layers, blocks));
  if (blocks > layers) {
    throw new UserError(
      `expected at most as many blocks as the text tower has layers, ${layers}, got ${blocks}`,
    );
  }
  return pairing;
}

type SearchSchema = typeof pairedOptions | typeof blockOptions | typeof unalignedOptions;

interface SearchSetting<Schema extends SearchSchema> {
  readonly name: SettingName;
  readonly title: string;
  readonly summary: string;
  readonly options: Schema;
  /** Gives the options of the weights' alignment, where the setting learns the weights in turn with the structure. */
  readonly alignmentOf: (options: z.output<Schema>) => AlignmentOptions | undefined;
}

/** Options of any of them; settings without blocks do not say how many. */
type SearchOptions = StructureOptions & { readonly blocks?: number };

/** A setting whose structure is searched for. */
const searching = <Schema extends SearchSchema>({
  name,
  title,
  summary,
  options,
  alignmentOf,
}: SearchSetting<Schema>): CompressionMethod =>
  defineMethod({
    manifest: manifest(name, title, summary),
    options,
    plan: (model, budget, options) => {
      const { blocks }: SearchOptions = options;
      const structure = { name: 'structure', duration: structureDuration(options) };
      const weights = { name: 'weights', duration: options.search };
      return {
        phases: alignmentOf(options) === undefined ? [structure] : [weights, structure],
        smallestKeep: checkReachable({ model, budget }, pairingFor(model, name, blocks)),
      };
    },
    compress: (run, options) => {
      const { blocks }: SearchOptions = options;
      const alignment = alignmentOf(options);
      const pairing = pairingFor(run.model, name, blocks);
      return shareAndPrune({ run, pairing, options, ...(alignment === undefined ? {} : { alignment }) });
    },
  });

/** The settings of the paper, in the order of its Table 1. */
export const shareAndPruneMethods: readonly CompressionMethod[] = [
  defineMethod({
    manifest: manifest(
      'full-sharing',
      'Full sharing',
      'vision uses the columns of text, all of them, from the start',
    ),
    options: fullSharingOptions,
    plan: (model, budget) => ({
      phases: [],
      smallestKeep: checkFullSharing(model, budget, pairingFor(model, 'full-sharing')),
    }),
    compress: (run) => Promise.resolve(shareFully(run, pairingFor(run.model, 'full-sharing'))),
  }),
  searching({
    name: 'sp',
    title: 'Share and prune',
    summary: 'a hypernetwork learns what vision shares with text, and what goes',
    options: pairedOptions,
    alignmentOf: (options) => options,
  }),
  searching({
    name: 'lwsp',
    title: 'Layer-wise share and prune',
    summary: 'sp, and all text layers may share with the first',
    options: pairedOptions,
    alignmentOf: (options) => options,
  }),
  searching({
    name: 'bwsp',
    title: 'Block-wise share and prune',
    summary: 'sp, and text layers may share with the first of their block',
    options: blockOptions,
    alignmentOf: (options) => options,
  }),
  searching({
    name: 'bwsp-unaligned',
    title: 'Block-wise, not aligned',
    summary: 'bwsp without R_w: the structure is found for weights that stay as they are',
    options: unalignedOptions,
    alignmentOf: () => undefined,
  }),
];
