import { type Tensor2D, memory, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { observeOnly } from '../../src/layers/observe';
import { type PassPart, runPart } from '../../src/reconstruct/part-pass';
import type { Hooks } from '../../src/families/hooks';
import { describeOnEveryEngine } from '../engine/every-engine';

/** A task of three blocks that each add 1, and a head; it writes down what it comes to. */
function threeBlocks() {
  const came: string[] = [];
  const predict = (_params: unknown, _batch: unknown, { enter, observe }: Hooks = {}) => {
    let states: Tensor2D = tensor2d([[0]]);
    for (const block of ['a', 'b', 'c']) {
      const own = enter === undefined ? states : enter(block, states);
      if (own === undefined) continue;
      came.push(block);
      observe?.(`${block}.tap`, own);
      states = own.add(1);
      observe?.(`${block}.result`, states);
    }
    came.push('head');
    observe?.('head.result', states);
    return states;
  };
  const run = (part: PassPart, taps: readonly string[] = [], onceSeen: readonly string[] = []) => {
    came.length = 0;
    const seen: string[] = [];
    const observe = observeOnly(taps, (path) => void (taps.includes(path) && seen.push(path)));
    const { states, ran } = runPart({ predict: predict as never }, {}, {}, part, observe, onceSeen);
    const value = states?.dataSync()[0];
    states?.dispose();
    return { came: [...came], seen, ran: [...ran], value };
  };
  return run;
}

describeOnEveryEngine('a part of a pass', () => {
  const run = threeBlocks();

  it('ends where the block begins whose states are wanted: no head is run for them', () => {
    expect(run({ until: 'c' })).toEqual({ came: ['a', 'b'], seen: [], ran: ['a', 'b'], value: 2 });
  });

  it('begins at a block with the states that are given, and runs to the last one', () => {
    tidy(() => {
      const from = { block: 'b', states: tensor2d([[5]]) };
      expect(run({ from, until: 'c' })).toMatchObject({ came: ['b'], value: 6 });
      expect(run({ from, last: 'b' })).toMatchObject({ came: ['b', 'head'], value: undefined });
    });
  });

  it('ends when all has passed its taps that passes them once, and only then', () => {
    const taps = ['a.result', 'b.tap'];
    expect(run({}, taps, taps)).toEqual({ came: ['a', 'b'], seen: taps, ran: ['a', 'b'], value: undefined });
    expect(run({}, taps)).toMatchObject({ came: ['a', 'b', 'c', 'head'], seen: taps });
    expect(run({}, taps, [...taps, 'none'])).toMatchObject({ came: ['a', 'b', 'c', 'head'] });
  });

  it('keeps no tensor but the states, however it ends, and hides no error of the model', () => {
    const { numTensors } = memory();
    run({ until: 'b' });
    run({}, ['a.tap'], ['a.tap']);
    const failing = () => {
      throw new Error('broken');
    };
    expect(() => runPart({ predict: failing }, {}, {}, {})).toThrow('broken');
    expect(memory().numTensors).toBe(numTensors);
  });
});
