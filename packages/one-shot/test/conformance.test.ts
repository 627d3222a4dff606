import {
  crossEncoders,
  describeMethod,
  dualEncoders,
  sigmoidEncoders,
  visionTransformers,
} from '@winnow/testkit';
import { oneShotMethods } from '../src/index';
import { varied } from './varied';

/** Compares two varied views of a picture. */
const ofViews = oneShotMethods.filter(({ manifest }) => manifest.name === 'self-supervised');
const ofBlocks = oneShotMethods.filter(({ manifest }) => manifest.granularity === 'blocks');

/** The laws that ask something of a model; the others are about a method and its options. */
const ofModels = /masked and cut|geometry|smallest budget|killed/;

for (const method of oneShotMethods) {
  // Only those that ask for a loss can tell one from another.
  const losses = ['taylor', 'fisher', 'mask-fisher'].includes(method.manifest.name) ? [sigmoidEncoders] : [];
  if (ofBlocks.includes(method) || ofViews.includes(method)) continue;
  describeMethod(method, {
    options: { calibration: 20 },
    kinds: [visionTransformers, dualEncoders, ...losses],
  });
  // All of them are rankers: what a law asks of the ranker has been asked.
  describeMethod(method, { options: { calibration: 20 }, kinds: [crossEncoders], laws: ofModels });
}

// The cross encoder has its norms after the layers: without a block it would not be the identity.
for (const method of ofBlocks) {
  const options = { calibration: 20 };
  describeMethod(method, { options, kinds: [visionTransformers] });
  describeMethod(method, { options, kinds: [dualEncoders], laws: /masked and cut|smallest budget|killed/ });
}

for (const method of ofViews) {
  describeMethod(method, {
    options: { calibration: 20 },
    kinds: [visionTransformers, dualEncoders].map(varied),
  });
}
