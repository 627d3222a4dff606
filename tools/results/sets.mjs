import { join } from 'node:path';

/** The rows of a table: the method, how it is called, the folder of its run, whether it gets the search's training. */
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

const retrain = (duration) => ['--retrain', duration, '--retrain-learning-rate', '5e-4'];

/**
 * What is trained, how it is compressed, and by which methods.
 * @param shared the folder that has the photographs.
 */
export function setsAt(shared) {
  return {
    // The command line's own defaults: a dense model that more epochs would still improve.
    emoji: {
      data: 'emoji-category',
      train: ['--duration', '30ep'],
      search: ['--search', '10ep'],
      retrain: retrain('10ep'),
      methods,
      tables: top1,
    },
    // The same pictures, 98 classes.
    'emoji-subcategory': {
      data: 'emoji-subcategory',
      train: ['--duration', '30ep'],
      search: ['--search', '10ep'],
      retrain: retrain('10ep'),
      methods,
      tables: top1,
    },
    clothing: {
      data: join(shared, 'data/clothing'),
      train: ['--duration', '30ep', '--image-size', '64', '--patch-size', '16'],
      search: ['--search', '10ep'],
      retrain: retrain('10ep'),
      methods,
      tables: top1,
    },
    // A dense model that is trained to the end of what more epochs give it.
    'emoji-converged': {
      data: 'emoji-category',
      train: ['--duration', '60ep'],
      search: ['--search', '15ep'],
      retrain: retrain('15ep'),
      methods,
      tables: top1,
    },
    // Drawings and names of emoji: a dual encoder, both towers compressed at once.
    'emoji-retrieval': {
      data: 'emoji-names',
      train: ['--task', 'retrieval', '--duration', '40ep'],
      search: ['--search', '10ep'],
      compress: ['--task', 'retrieval'],
      retrain: retrain('10ep'),
      methods,
      tables: recalls,
    },
  };
}
