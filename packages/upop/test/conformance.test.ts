import { disposeTree } from '@winnow/core';
import {
  describeMethod,
  detectors,
  dualEncoders,
  lxmerts,
  segmenters,
  tinyModel,
  visionTransformers,
} from '@winnow/testkit';
import { upopMethods } from '../src/index';

/** The laws that ask something of a model; the others are about a method and its options. */
const ofModels = /masked and cut|geometry|smallest budget|killed/;

for (const method of upopMethods) {
  const isRandom = method.manifest.name === 'random';
  const hasSearch = 'search' in method.options.shape;
  describeMethod(method, { isRandom, options: hasSearch ? { search: '5it' } : {} });
  if (method.manifest.name === 'magnitude') {
    describe('at once', () => describeMethod(method, { kinds: [visionTransformers, dualEncoders] }));
  }
  // The paper's last table: encoder and decoder are searched together.
  if (method.manifest.name === 'upop')
    describe('on segmenters', () => {
      describeMethod(method, { options: { search: '5it' }, kinds: [segmenters], laws: ofModels });
    });
  // All laws are checked of a detector under share-and-prune; here those of the cut.
  if (method.manifest.name === 'upop')
    describe('on detectors', () => {
      describeMethod(method, { options: { search: '5it' }, kinds: [detectors], laws: /masked and cut/ });
    });
  // A cross-attention that is used both ways, and a loss that does not read the last regions.
  if (method.manifest.name === 'upop')
    describe('on words and regions', () => {
      describeMethod(method, { options: { search: '5it' }, kinds: [lxmerts], laws: ofModels });
    });
}

it.each(upopMethods)('$manifest.name needs something to search in, or no search at all', (method) => {
  const { model, params } = tinyModel();
  disposeTree(params);
  const budget = { unit: 'macs', keep: 0.5 } as const;
  switch (method.manifest.name) {
    case 'random':
    case 'from-scratch':
      expect(method.configure({}).plan(model, budget).phases).toEqual([]);
      break;
    case 'magnitude':
      expect(method.configure({ search: '0ep' }).plan(model, budget).phases).toEqual([]);
      break;
    default:
      expect(() => method.configure({ search: '0ep' }).plan(model, budget)).toThrow(/at least one iteration/);
  }
});
