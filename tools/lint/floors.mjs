/**
 * The floors of the core (docs/decisions/0015): folders of its sources, from the ground up. A file may import from its own
 * floor and from those below. Decisions stand below the families, as a model can say what is left of it after a cut.
 */
export const coreFloors = [
  {
    name: 'tensors',
    folders: [
      'error',
      'text',
      'duration',
      'random',
      'tree',
      'operations',
      'statistics',
      'algebra',
      'boxes',
      'writing',
    ],
  },
  { name: 'layers', folders: ['sites', 'account', 'reparametrisation', 'mask', 'layers'] },
  { name: 'decisions', folders: ['decision'] },
  { name: 'families', folders: ['families'] },
  { name: 'decoding', folders: ['decoding'] },
  { name: 'compression', folders: ['budget', 'compact', 'effective'] },
  { name: 'training', folders: ['data', 'optimizer', 'task', 'train', 'reconstruct'] },
  { name: 'runs', folders: ['method', 'run', 'allocation'] },
];
