import { join } from 'node:path';
import { reportCompressions } from './compressions.mjs';
import { reportTickets } from './tickets.mjs';

/**
 * The rows of a table: the method, how it is called, the folder of its run, whether it gets the search's training, and what
 * differs from the set's budget and retraining.
 */
const methods = [
  { name: 'upop', searches: true },
  {
    name: 'upop',
    folder: 'upop-each-step',
    label: 'upop, each-step',
    searches: true,
    more: ['--standardize', 'each-step'],
  },
  { name: 'unified-ste', searches: true },
  { name: 'mask-based-ste', searches: true },
  { name: 'unified', searches: true },
  { name: 'mask-based', searches: true },
  { name: 'magnitude', folder: 'magnitude-in-rounds', label: 'magnitude, in rounds', searches: true },
  { name: 'magnitude', searches: false },
  { name: 'random', searches: false },
];

/**
 * Rows of what a reconstruction does: plainly cut and reconstructed, without any training; and UPop's own start of the retraining beside
 * the dense model's weights at UPop's numbers of units.
 */
const reconstructed = ['random', 'magnitude', 'taylor', 'obs', 'mask-based', 'unified'].flatMap((name) => {
  const row = { name, searches: ['mask-based', 'unified'].includes(name), retrain: '0ep' };
  const more = ['--reconstruct', 'bases'];
  return [row, { ...row, folder: `${name}-bases`, label: `${name}, reconstructed`, more }];
});
const projected = [
  { name: 'upop', searches: true },
  {
    name: 'upop',
    folder: 'upop-project',
    label: 'upop, projected',
    searches: true,
    more: ['--reconstruct', 'project'],
  },
];

/**
 * The settings of share-and-prune, each with as many updates of the weights in all as the others: who does not learn the
 * weights in the search retrains for longer. The dense model with the same training stands beside them (a budget of 1x
 * removes nothing), and UPop at the same number of stored parameters.
 */
const sharingMethods = (learn) => [
  { name: 'random', folder: 'dense', label: 'dense, trained on', budget: '1x', retrain: '30ep' },
  { name: 'full-sharing', retrain: '30ep' },
  { name: 'sp', searches: true, more: learn },
  { name: 'lwsp', searches: true, more: learn },
  { name: 'bwsp', searches: true, more: learn },
  { name: 'bwsp-unaligned', label: 'bwsp without R_w', searches: true, more: learn, retrain: '30ep' },
  { name: 'upop', searches: true },
];

const all = ['before retraining', 'after 1 epoch', 'after all'];
const top1 = [{ title: 'top-1', scores: ['top1'], stages: all }];
const recalls = [
  { title: 'mean recall', scores: ['meanR'], stages: all },
  {
    title: 'picture → text, R@1 / 5 / 10',
    scores: ['textR1', 'textR5', 'textR10'],
    stages: ['before retraining', 'after all'],
  },
  {
    title: 'text → picture, R@1 / 5 / 10',
    scores: ['imageR1', 'imageR5', 'imageR10'],
    stages: ['before retraining', 'after all'],
  },
];

/** Small data has few updates of the hypernetwork in a tenth of an epoch: more of them, and larger ones. */
const hypernetwork = ['--passes', '5', '--hypernetwork-learning-rate', '5e-3'];

/** Options that are the same in everything about sharing; 0.5415 is what full sharing leaves of two nano towers. */
const sharing = {
  data: 'emoji-names',
  always: ['--task', 'retrieval'],
  train: ['--duration', '40ep'],
  search: ['--search', '20ep'],
  retrain: '10ep',
  budgets: ['0.5415'],
  tables: recalls,
};

/** Rows that show the effect of a hyper-parameter (the paper's Table S3), on the method itself: one row per value. */
const ablation = (label, flag, values) => ({
  ...sharing,
  methods: values.map((value) => ({
    name: 'bwsp',
    folder: `${flag}-${value}`,
    label: `${label} = ${value}`,
    searches: true,
    more: [...hypernetwork, `--${flag}`, value],
  })),
});

const ablations = {
  'sharing-lambda': ablation('λ', 'budget-penalty', ['2', '6', '10']),
  'sharing-gamma': ablation('γ', 'alignment-penalty', ['0', '1e-4', '5e-4', '2e-3']),
  'sharing-subset': ablation('D_sub', 'subset', ['0.05', '0.1', '0.2']),
  'sharing-blocks': ablation('B', 'blocks', ['1', '2', '3', '4']),
  'sharing-budget': {
    ...sharing,
    budgets: ['0.7', '0.6', '0.5', '0.4', '0.3'],
    methods: [{ name: 'bwsp', searches: true, more: hypernetwork }],
  },
};

const ratios = ['2x', '4x', '10x'];

/** The sets by name: what is trained, how it is compressed, and by which methods. */
const compressionsOf = (shared) => ({
  // The command line's own defaults: a dense model that more epochs would still improve.
  emoji: {
    data: 'emoji-category',
    train: ['--duration', '30ep'],
    search: ['--search', '10ep'],
    retrain: '10ep',
    methods,
    tables: top1,
  },
  // The same pictures, 98 classes.
  'emoji-subcategory': {
    data: 'emoji-subcategory',
    train: ['--duration', '30ep'],
    search: ['--search', '10ep'],
    retrain: '10ep',
    methods,
    tables: top1,
  },
  clothing: {
    data: join(shared, 'data/clothing'),
    train: ['--duration', '30ep', '--image-size', '64', '--patch-size', '16'],
    search: ['--search', '10ep'],
    retrain: '10ep',
    methods,
    tables: top1,
  },
  // A dense model that is trained to the end of what more epochs give it.
  'emoji-converged': {
    data: 'emoji-category',
    train: ['--duration', '60ep'],
    search: ['--search', '15ep'],
    retrain: '15ep',
    methods,
    tables: top1,
  },
  // The first set once more: what can be made up for without training, and which start of a retraining is better.
  'emoji-reconstruct': {
    data: 'emoji-category',
    train: ['--duration', '30ep'],
    search: ['--search', '10ep'],
    retrain: '10ep',
    budgets: ['2x'],
    methods: [...projected, ...reconstructed],
    tables: top1,
    pairs: [
      ['upop, projected', 'upop'],
      ...reconstructed.flatMap(({ label, name }) => (label === undefined ? [] : [[label, name]])),
    ],
  },
  // Drawings and names of emoji: a dual encoder, both towers compressed at once.
  'emoji-retrieval': {
    data: 'emoji-names',
    always: ['--task', 'retrieval'],
    train: ['--duration', '40ep'],
    search: ['--search', '10ep'],
    retrain: '10ep',
    methods,
    tables: recalls,
  },
  // The same, by sharing.
  'emoji-sharing': { ...sharing, methods: sharingMethods(hypernetwork) },
  // The same on towers of 12 layers, where blocks have something to share, from a dense model that has trained longer.
  'emoji-sharing-deep': {
    ...sharing,
    train: ['--duration', '60ep', '--model', 'tiny', '--text-model', 'tiny'],
    budgets: ['0.5416'],
    methods: sharingMethods(hypernetwork),
  },
  ...ablations,
});

/**
 * Makes the sets that can be run and reported: `report` takes the command line, seeds, budgets and the methods that are wanted.
 * @param shared the folder that has the photographs.
 */
export const setsAt = (shared) => ({
  ...Object.fromEntries(
    Object.entries(compressionsOf(shared)).map(([name, set]) => [
      name,
      { report: (commands) => reportCompressions({ budgets: ratios, ...set }, commands) },
    ]),
  ),
  tickets: { report: reportTickets },
});
