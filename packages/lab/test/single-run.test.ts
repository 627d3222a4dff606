import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '@winnow/formats';
import { inTemporaryFolder } from '@winnow/testkit';
import fc from 'fast-check';
import { lossCurves, thinned } from '../src/comparison/loss-curves';
import { readPredictions, writePredictions } from '../src/run-folder/predictions';

test('a curve of many steps has few points, in order, with the same mean as far as stretches are alike', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { maxLength: 2000 }), (losses) => {
      const points = losses.map((loss, step): [number, number] => [step + 1, loss]);
      const drawn = thinned(points);
      expect(drawn).toHaveLength(Math.min(400, losses.length));
      const steps = drawn.map(([step]) => step);
      expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
      if (losses.length > 0) expect(steps[steps.length - 1]).toBe(losses.length);
      if (losses.length <= 400) expect(drawn).toEqual(points);
      for (const [, loss] of drawn) {
        expect(loss).toBeGreaterThanOrEqual(Math.min(...losses) - 1e-9);
        expect(loss).toBeLessThanOrEqual(Math.max(...losses) + 1e-9);
      }
    }),
    { numRuns: 30 },
  );
});

test('losses of a training are curves by phase; those of scores and what is no number are none', () =>
  inTemporaryFolder(async (folder) => {
    const lines = [
      { phase: 'search', step: 1, loss: 2 },
      { phase: 'search', step: 2, loss: 'NaN' },
      { phase: 'scores-cut', step: 0, scores: { loss: 1, top1: 50 } },
      { phase: 'retrain', step: 1, loss: 1 },
    ];
    writeFileSync(join(folder, 'metrics.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    expect(await lossCurves(folder)).toEqual([
      { phase: 'search', points: [[1, 2]] },
      { phase: 'retrain', points: [[1, 1]] },
    ]);
  }));

test('predictions are read as they were written, and refused when they do not fit together', () =>
  inTemporaryFolder(async (folder) => {
    expect(await readPredictions(folder)).toBeUndefined();
    const predictions = { classNames: ['a', 'b'], labels: [0, 1], dense: [0, 0], compressed: [1, 1] };
    await writePredictions(folder, predictions);
    expect(await readPredictions(folder)).toEqual(predictions);
    for (const damaged of [
      { ...predictions, dense: [0] },
      { ...predictions, labels: [0, 2] },
    ]) {
      writeFileSync(join(folder, 'predictions.json'), JSON.stringify(damaged));
      await expect(readPredictions(folder)).rejects.toThrow(FormatError);
    }
  }));
