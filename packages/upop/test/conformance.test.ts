import { describeMethod } from '@winnow/testkit';
import { upopMethods } from '../src/index';

for (const method of upopMethods) {
  const isRandom = method.manifest.name === 'random';
  describeMethod(method, { isRandom, options: isRandom ? {} : { search: '8it' } });
}
