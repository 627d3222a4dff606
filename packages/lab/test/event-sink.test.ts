import type { RunEvent } from '@winnow/core';
import { type Progress, eventSink } from '../src/progress/progress';

const step = (step: number): RunEvent => ({
  kind: 'step',
  phase: 'train',
  step,
  steps: 4,
  loss: 1 / step,
  examples: 8,
});
const events: readonly RunEvent[] = [
  { kind: 'phase', phase: 'train', steps: 4, from: 0 },
  step(1),
  step(2),
  { kind: 'scores', phase: 'train', step: 2, scores: { loss: 0.5, top1: 75 } },
  { kind: 'checkpoint', phase: 'train', step: 2 },
  step(3),
  step(4),
];

test('the events of a run are shown in their order, scores as a line, and all are logged', () => {
  const shown: string[] = [];
  const progress: Progress = {
    note: (line) => shown.push(line),
    phase: ({ phase, steps }) => shown.push(`${phase} of ${steps}`),
    step: ({ step, steps }, { imagesPerSecond, remainingSeconds }) => {
      expect(remainingSeconds * imagesPerSecond).toBeCloseTo((steps - step) * 8);
      shown.push(`step ${step}`);
    },
    close: () => shown.push('closed'),
  };
  const logged: RunEvent[] = [];
  const sink = eventSink(progress, (event) => logged.push(event));
  for (const event of events) sink(event);
  expect(shown).toEqual([
    'train of 4',
    'step 1',
    'step 2',
    'train after step 2: loss 0.50, top1 75.00',
    'step 3',
    'step 4',
  ]);
  expect(logged).toEqual(events);
});
