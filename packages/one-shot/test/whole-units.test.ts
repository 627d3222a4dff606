import { fill, type Tensor } from '@tensorflow/tfjs-core';
import { type Decision, UserError, cloneTree, disposeTree, mapTree, tidyTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import {
  type Subject,
  compressTiny,
  crossEncoders,
  describeMethod,
  tinyModel,
  visionTransformers,
} from '@winnow/testkit';
import { oneShotMethods } from '../src/index';

beforeAll(() => startEngine('wasm'));

const methodCalled = (name: string) => {
  const method = oneShotMethods.find(({ manifest }) => manifest.name === name);
  if (method === undefined) throw new Error(`no ranker ${name}`);
  return method;
};

// The laws that whole units could break; all others know no units.
const laws = /masked and cut|smallest budget|same seed|cannot be reached|no site worse|plain data/;
for (const [name, units] of [
  ['taylor', 'heads'],
  ['taylor', 'blocks'],
  ['flap', 'heads'],
] as const) {
  describe(`${name}, --units ${units}`, () => {
    const laid = units === 'blocks' ? /masked and cut|smallest budget|cannot be reached/ : laws;
    describeMethod(methodCalled(name), {
      options: { calibration: 16, units },
      kinds: [visionTransformers],
      laws: laid,
    });
  });
}

const subjectOf = (name: string, options: Record<string, unknown>, kind = visionTransformers): Subject => ({
  method: methodCalled(name),
  options: { calibration: 16, ...options },
  isRandom: false,
  kind,
  units: ['parameters'],
});

/** The decision of a ranker on the tiny model, of which what some paths match is made 0. */
async function decided(subject: Subject, keep: number, zeros: RegExp): Promise<Decision> {
  const makeModel = () => {
    const { model, params } = tinyModel();
    const changed = tidyTree(() =>
      cloneTree(mapTree(params, (leaf: Tensor, path) => (zeros.test(path) ? fill(leaf.shape, 0) : leaf))),
    );
    disposeTree(params);
    return { model, params: changed };
  };
  const { decision } = await compressTiny(subject, { budget: { unit: 'parameters', keep }, makeModel });
  return decision;
}

it.each([
  ['block-influence', {}],
  ['taylor', { units: 'blocks' }],
  ['mask-fisher', { units: 'blocks' }],
] as const)('%s: the block that adds nothing goes first', async (name, options) => {
  for (const [gone, kept] of [
    [0, [1]],
    [1, [0]],
  ] as const) {
    const silent = new RegExp(`^blocks\\.${gone}\\.(?:attention\\.output|ffn\\.contract)\\.`);
    const { blocks, sites } = await decided(subjectOf(name, options), 0.9, silent);
    expect(blocks).toEqual({ blocks: { kept, units: 2 } });
    expect(sites).toEqual({});
  }
});

it.each([
  ['obs', 'heads'],
  ['flap', 'blocks'],
  ['lamp', 'blocks'],
] as const)('%s: whole %s are refused by name, before any work', async (name, units) => {
  const failed = await compressTiny(subjectOf(name, { units }), {
    budget: { unit: 'parameters', keep: 0.9 },
  }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(UserError);
  expect(String(failed)).toMatch(new RegExp(`${name} cannot rank whole ${units}`));
});

it('whole blocks are not reconstructed, nor allocated; a model whose blocks cannot go says so', async () => {
  const budget = { unit: 'parameters', keep: 0.9 } as const;
  const refusal = (subject: Subject, more = {}) =>
    compressTiny(subject, { budget, ...more }).then(
      () => 'nothing is refused',
      (error: unknown) => String(error),
    );
  expect(
    await refusal(subjectOf('taylor', { units: 'blocks' }), { reconstruct: { kind: 'bases', examples: 16 } }),
  ).toMatch(/Taylor expansion takes whole blocks/);
  expect(await refusal(subjectOf('taylor', { units: 'heads', scope: 'allocated' }))).toMatch(
    /scope allocated/,
  );
  expect(await refusal(subjectOf('block-influence', {}, crossEncoders))).toMatch(/no blocks that could go/);
});
