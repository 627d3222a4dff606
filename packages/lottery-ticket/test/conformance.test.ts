import { type Model, disposeTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import {
  crossEncoders,
  describeMethod,
  detectors,
  dualEncoders,
  tinyDualEncoder,
  tinyModel,
  uniters,
  visionTransformers,
} from '@winnow/testkit';
import { lotteryTicketMethods } from '../src/index';

for (const method of lotteryTicketMethods) {
  switch (method.manifest.name) {
    case 'lottery-ticket':
      describeMethod(method, { options: { round: '2it', originalFraction: 0.3 } });
      describe('on detectors', () =>
        describeMethod(method, { options: { round: '2it' }, kinds: [detectors], laws: /masked and cut/ }));
      describe('on words and regions', () =>
        describeMethod(method, {
          options: { round: '2it', originalFraction: 0.3 },
          kinds: [uniters],
          laws: /masked and cut|geometry|smallest budget|killed/,
        }));
      describe('with all it can do', () =>
        describeMethod(method, {
          options: {
            round: '2it',
            rewind: '1it',
            schedule: 'survivor-fraction',
            survivorFraction: 0.6,
            scope: 'per-layer',
            head: 'reset',
            weights: 'within-tensors',
          },
          kinds: [visionTransformers, crossEncoders],
        }));
      break;
    case 'random-ticket':
      describeMethod(method, { isRandom: true });
      break;
    default:
      describeMethod(method);
      describe('after a training', () =>
        describeMethod(method, { options: { round: '2it' }, kinds: [visionTransformers, dualEncoders] }));
  }
}

const methodNamed = (name: string) => {
  const found = lotteryTicketMethods.find(({ manifest }) => manifest.name === name);
  if (found === undefined) throw new Error(`there is no method ${name}`);
  return found;
};

describe('a plan', () => {
  let model: Model;
  let classifier: Model;
  beforeAll(async () => {
    await startEngine('wasm');
    const made = [tinyDualEncoder(), tinyModel()];
    [model, classifier] = made.map(({ model }) => model) as [Model, Model];
    disposeTree(made.map(({ params }) => params));
  });
  const budget = { unit: 'compressible-parameters', keep: 0.3 } as const;

  it('has a round for every tenth, and the rewinding before them', () => {
    const { phases } = methodNamed('lottery-ticket').configure({ rewind: '5it' }).plan(model, budget);
    expect(phases).toEqual([
      { name: 'rewind', duration: '5it' },
      ...Array.from({ length: 7 }, (_, i) => ({ name: `round-${i + 1}`, duration: '10ep' })),
    ]);
  });

  it.each([
    ['lottery-ticket', { round: '0it' }, /rounds of at least one iteration/],
    ['lottery-ticket', { originalFraction: 1e-4 }, /more than 1000 rounds/],
    ['one-shot-magnitude', { pattern: '1:4' }, /takes at least \d+ weights away/],
    ['random-ticket', { pattern: '1:4' }, /keep at most 25\.\d+ %/],
  ])('%s refuses %j', (name, options, message) => {
    expect(() => methodNamed(name).configure(options).plan(model, budget)).toThrow(message);
  });

  it('explains why a budget in MACs cannot be met', () => {
    expect(() => methodNamed('random-ticket').configure({}).plan(model, { unit: 'macs', keep: 0.5 })).toThrow(
      /removes parameters and no multiply–accumulates/,
    );
  });

  it('refuses to take from the blocks what only the projections could give', () => {
    const most = { unit: 'compressible-parameters', keep: 1e-3 } as const;
    expect(() => methodNamed('random-ticket').configure({ projections: false }).plan(model, most)).toThrow(
      /without projections there are only/,
    );
    expect(() => methodNamed('random-ticket').configure({}).plan(model, most)).not.toThrow();
  });

  it('a pattern is an option that is checked', () => {
    expect(() => methodNamed('random-ticket').configure({ pattern: '2-4' })).toThrow(/expected none, or N:M/);
    const half = { unit: 'compressible-parameters', keep: 0.5 } as const;
    expect(() =>
      methodNamed('random-ticket').configure({ pattern: '2:4' }).plan(classifier, half),
    ).not.toThrow();
  });
});
