import { shareAndPruneMethods } from '@winnow/share-and-prune';
import { describeMethod, groundingModels } from '@winnow/testkit';
import { upopMethods } from '@winnow/upop';

const kinds = [groundingModels];
const named = <Method extends { readonly manifest: { readonly name: string } }>(
  methods: readonly Method[],
  name: string,
): Method => {
  const found = methods.find(({ manifest }) => manifest.name === name);
  if (found === undefined) throw new RangeError(`there is no method ${name}`);
  return found;
};

// One method that trains masks and one that shares: what they compress is one place to cut like another.
describeMethod(named(upopMethods, 'upop'), { kinds, options: { search: '5it' } });
describeMethod(named(shareAndPruneMethods, 'bwsp'), {
  kinds,
  options: { search: '8it', subset: 0.5, blocks: 1 },
  units: ['compressible-parameters', 'parameters'],
});
