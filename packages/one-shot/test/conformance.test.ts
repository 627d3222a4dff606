import {
  crossEncoders,
  describeMethod,
  dualEncoders,
  sigmoidEncoders,
  visionTransformers,
} from '@winnow/testkit';
import { oneShotMethods } from '../src/index';

for (const method of oneShotMethods) {
  // Only those that ask for a loss can tell one from another.
  const losses = ['taylor', 'fisher', 'mask-fisher'].includes(method.manifest.name) ? [sigmoidEncoders] : [];
  describeMethod(method, {
    options: { calibration: 20 },
    kinds: [visionTransformers, dualEncoders, crossEncoders, ...losses],
  });
}
