import {
  crossEncoders,
  describeMethod,
  dualEncoders,
  sigmoidEncoders,
  visionTransformers,
} from '@winnow/testkit';
import { oneShotMethods } from '../src/index';

for (const method of oneShotMethods) {
  const looks = 'calibration' in method.options.shape;
  // Only those that ask for a loss can tell one from another.
  const losses = ['taylor', 'fisher', 'mask-fisher'].includes(method.manifest.name) ? [sigmoidEncoders] : [];
  describeMethod(method, {
    options: looks ? { calibration: 20 } : {},
    kinds: [visionTransformers, dualEncoders, crossEncoders, ...losses],
  });
}
