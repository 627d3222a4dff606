import { type Tensor, mul } from '@tensorflow/tfjs-core';
import { cloneTree, effective, identityDecision, mapTree, sparsityUnits, tidyTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { z } from 'zod';
import { budgetUnits } from '@winnow/core';
import { conformanceLaws, describeMethod, dualEncoders, visionTransformers } from '../src/index';
import { type Parts, decideBy, decideRandomly, fakeMethod } from './methods';
import { type WeightParts, fakeWeightMethod } from './weight-methods';

describeMethod(fakeMethod(), { options: { search: '5it' } });
describeMethod(fakeMethod({ decide: decideRandomly }), { isRandom: true, kinds: [visionTransformers] });
describeMethod(fakeWeightMethod(), { kinds: [visionTransformers, dualEncoders] });

/** Returns the complaint of the law of that name about a method. */
async function complaint(
  parts: Partial<Parts>,
  law: string,
  { isRandom = false, kind = visionTransformers } = {},
): Promise<string> {
  const laws = conformanceLaws({
    method: fakeMethod(parts),
    options: {},
    isRandom,
    kind,
    units: budgetUnits,
  });
  const [found, ...others] = laws.filter(({ name }) => name.includes(law));
  if (found === undefined || others.length > 0) throw new Error(`not one law is called ${law}`);
  return found.check().then(
    () => 'no complaint',
    (error: Error) => error.message,
  );
}

describe('the conformance suite catches', () => {
  beforeAll(async () => {
    await startEngine('wasm');
  });

  let randomDraws = 0;
  let phasesNamed = 0;
  const leaked: Tensor[] = [];
  afterAll(() => {
    for (const tensor of leaked) tensor.dispose();
  });
  const undescribed = z.object({
    search: z.literal('6it').default('6it'),
    learningRate: z.number().default(1),
  });
  const incomplete = z.object({ search: z.literal('6it').default('6it').describe('How long.') });

  it.each<[what: string, law: string, parts: Partial<Parts>, expected: RegExp]>([
    [
      'unmasked parameters',
      'masked and cut',
      { finish: (params) => cloneTree(params) },
      /cutting the masked model changes what it predicts by/,
    ],
    [
      'masks that were left behind',
      'plain data',
      { release: (masks) => leaked.push(...Object.values(masks)) },
      /tensors are left over/,
    ],
    ['a no-op', 'plain data', { decide: () => identityDecision }, /removed 0 of \d+ compressible-parameters/],
    [
      'a budget counted in the wrong unit',
      'masked and cut',
      {
        decide: ({ budget, ...run }) =>
          decideBy((unit) => unit)({ ...run, budget: { ...budget, unit: 'compressible-parameters' } }),
      },
      /removed \d+ of \d+ (macs|parameters); the budget asks for/,
    ],
    [
      'a site that is emptied',
      'every site keeps',
      {
        decide: (run) => ({
          version: 1,
          sites: Object.fromEntries(
            run.model.sites.map(({ id, units }) => [id, { kind: 'keep', kept: [], units }]),
          ),
        }),
      },
      /keeps nothing at blocks.0.attention/,
    ],
    [
      'chance that no seed controls',
      'the same seed',
      { decide: (run) => decideBy((unit) => (unit * ++randomDraws) % 7)(run) },
      /run a second time, the decision is another one/,
    ],
    [
      'a decision that JSON cannot hold',
      'plain data',
      { decide: (run) => ({ ...decideBy((unit) => unit)(run), note: undefined }) },
      /does not survive JSON/,
    ],
    [
      'state outside the checkpoints',
      'killed',
      {
        phase: countingSteps(),
      },
      /resumed, .* is not the same bytes/,
    ],
    [
      'phases that a resumed run cannot recognise',
      'killed',
      { phaseName: () => `search-${++phasesNamed}` },
      /phase search-\d+ starts while search-\d+ is unfinished/,
    ],
    [
      'a plan that accepts what is impossible',
      'cannot be reached',
      {
        plan: (_model, _budget, { search }) => ({
          phases: [{ name: 'search', duration: search }],
          smallestKeep: 0,
        }),
      },
      /the plan accepts compressible-parameters/,
    ],
    [
      'a plan of other phases',
      'phases of the plan',
      {
        plan: () => ({ phases: [{ name: 'warm-up', duration: '2it' }], smallestKeep: 0.1 }),
      },
      /planned was warm-up: 2 steps, retrain: 3 steps; run was search: 6 steps, retrain: 3 steps/,
    ],
    [
      'options without description',
      'description',
      { schema: undescribed as never },
      /option search has no description/,
    ],
    [
      'options without default',
      'default',
      {
        schema: incomplete.extend({
          learningRate: z.number().optional().describe('Of the search.'),
        }) as never,
      },
      /option learningRate has no default/,
    ],
  ])('%s', async (_what, law, parts, expected) => {
    expect(await complaint(parts, law)).toMatch(expected);
  });

  it('state outside the checkpoints, also when stopped by a signal', async () => {
    expect(await complaint({ phase: countingSteps() }, 'stopped by a signal')).toMatch(
      /is not the same bytes/,
    );
  });

  it('a tower that a method forgets', async () => {
    const forgetText: Partial<Parts> = {
      finish: (params, { model }, masks) => {
        const seen = model.sites.filter(({ tower }) => tower !== 'text');
        return tidyTree(() => cloneTree(effective(params, seen, masks)));
      },
    };
    expect(await complaint(forgetText, 'masked and cut', { kind: dualEncoders })).toMatch(
      /cutting the masked model changes what it predicts by/,
    );
    expect(await complaint(forgetText, 'masked and cut')).toBe('no complaint');
  });

  it.each<[what: string, law: string, parts: Partial<WeightParts>, expected: RegExp]>([
    [
      'weights that its mask takes and its parameters keep',
      'masked and cut',
      { finish: (params) => cloneTree(params) },
      /cutting the masked model changes what it predicts by/,
    ],
    [
      'a mask of too few weights',
      'masked and cut',
      { removedOf: (amount) => Math.floor(amount / 2) },
      /removed \d+ of \d+ compressible-parameters; the budget asks for/,
    ],
    [
      'a mask of one weight too many',
      'masked and cut',
      { removedOf: (amount) => Math.ceil(amount) + 2 },
      /removed \d+ of \d+ compressible-parameters; the budget asks for/,
    ],
    [
      'masks in multiply–accumulates',
      'cannot be reached',
      { plan: () => ({ phases: [], smallestKeep: 0.001 }) },
      /the plan accepts/,
    ],
  ])('of single weights: %s', async (_what, law, parts, expected) => {
    const [found] = conformanceLaws({
      method: fakeWeightMethod(parts),
      options: {},
      isRandom: false,
      kind: visionTransformers,
      units: sparsityUnits,
    }).filter(({ name }) => name.includes(law));
    await expect(found?.check()).rejects.toThrow(expected);
  });

  it('a random method that ignores its seed', async () => {
    expect(await complaint({}, 'another seed', { isRandom: true })).toMatch(
      /another seed gives the same decision/,
    );
  });
});

/** A search whose steps depend on a count kept in memory, which a resumed phase starts anew. */
function countingSteps(): Parts['phase'] {
  return (search) => {
    let seen = 0;
    return {
      ...search,
      afterStep: ({ params, state }) => {
        seen += 1;
        return { params: mapTree(params, (leaf) => mul(leaf, 1 - seen * 1e-3)), state };
      },
    };
  };
}
