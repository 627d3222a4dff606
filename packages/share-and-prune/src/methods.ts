import {
  type Budget,
  type CompressionMethod,
  type Manifest,
  type Model,
  type Plan,
  UserError,
  defineMethod,
} from '@winnow/core';
import { checkFullSharing, shareFully } from './full-sharing';
import {
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

function planSearch(
  model: Model,
  budget: Budget,
  options: StructureOptions & { readonly blocks?: number },
  name: SettingName,
): Plan {
  const smallestKeep = checkReachable({ model, budget }, pairingFor(model, name, options.blocks));
  const structure = { name: 'structure', duration: structureDuration(options) };
  const learnsWeights = settings[name].learns === 'structure-and-weights';
  return {
    phases: learnsWeights ? [{ name: 'weights', duration: options.search }, structure] : [structure],
    smallestKeep,
  };
}

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
  ...(['sp', 'lwsp'] as const).map((name) =>
    defineMethod({
      manifest:
        name === 'sp'
          ? manifest(
              'sp',
              'Share and prune',
              'a hypernetwork learns what vision shares with text, and what goes',
            )
          : manifest(
              'lwsp',
              'Layer-wise share and prune',
              'sp, and all text layers may share with the first',
            ),
      options: pairedOptions,
      plan: (model, budget, options) => planSearch(model, budget, options, name),
      compress: (run, options) =>
        shareAndPrune({
          run,
          pairing: pairingFor(run.model, name),

          options,
          alignment: options,
        }),
    }),
  ),
  defineMethod({
    manifest: manifest(
      'bwsp',
      'Block-wise share and prune',
      'sp, and text layers may share with the first of their block',
    ),
    options: blockOptions,
    plan: (model, budget, options) => planSearch(model, budget, options, 'bwsp'),
    compress: (run, options) =>
      shareAndPrune({
        run,
        pairing: pairingFor(run.model, 'bwsp', options.blocks),

        options,
        alignment: options,
      }),
  }),
  defineMethod({
    manifest: manifest(
      'bwsp-unaligned',
      'Block-wise, not aligned',
      'bwsp without R_w: the structure is found for weights that stay as they are',
    ),
    options: unalignedOptions,
    plan: (model, budget, options) => planSearch(model, budget, options, 'bwsp-unaligned'),
    compress: (run, options) =>
      shareAndPrune({
        run,
        pairing: pairingFor(run.model, 'bwsp-unaligned', options.blocks),

        options,
      }),
  }),
];
