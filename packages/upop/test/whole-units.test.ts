import { UserError, disposeTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { describeMethod, tinyModel, visionTransformers } from '@winnow/testkit';
import { upopMethods } from '../src/index';

beforeAll(() => startEngine('wasm'));

const methodCalled = (name: string) => {
  const method = upopMethods.find(({ manifest }) => manifest.name === name);
  if (method === undefined) throw new Error(`no method ${name}`);
  return method;
};

// The laws that whole units could break; all others know no units.
const laws = /masked and cut|smallest budget|cannot be reached/;
for (const [name, options] of [
  ['random', { units: 'heads' }],
  ['random', { units: 'blocks' }],
  ['magnitude', { units: 'heads' }],
  ['magnitude', { units: 'heads', search: '5it', rounds: 2 }],
] as const) {
  describe(`${name}, ${JSON.stringify(options)}`, () => {
    describeMethod(methodCalled(name), {
      options,
      kinds: [visionTransformers],
      laws,
      ...(name === 'random' ? { isRandom: true } : {}),
    });
  });
}

it('magnitude does not rank whole blocks', () => {
  const { model, params } = tinyModel();
  disposeTree(params);
  const configured = methodCalled('magnitude').configure({ units: 'blocks' });
  const plan = () => configured.plan(model, { unit: 'parameters', keep: 0.9 });
  expect(plan).toThrow(UserError);
  expect(plan).toThrow(/block-influence/);
});
