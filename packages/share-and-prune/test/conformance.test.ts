import { describeMethod, detectors, groundingModels, twinEncoders } from '@winnow/testkit';
import { shareAndPruneMethods } from '../src/index';

for (const method of shareAndPruneMethods) {
  // Full sharing has one size: its own tests say what holds there.
  if (method.manifest.name === 'full-sharing') continue;
  const { name } = method.manifest;
  describeMethod(method, {
    options: { search: '8it', subset: 0.5, ...(name.startsWith('bwsp') ? { blocks: 1 } : {}) },
    units: ['compressible-parameters', 'parameters'],
    // The paper's own kinds of model, for its main method: layers above the towers, and losses that assign.
    kinds: name === 'bwsp' ? [twinEncoders, detectors] : [twinEncoders],
  });
  if (name === 'bwsp') {
    describeMethod(method, {
      options: { search: '8it', subset: 0.5, blocks: 1 },
      units: ['compressible-parameters', 'parameters'],
      kinds: [groundingModels],
      laws: /masked and cut|geometry|smallest budget|killed/,
    });
  }
}
