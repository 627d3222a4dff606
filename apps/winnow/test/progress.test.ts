import type { RunEvent } from '@winnow/core';
import { eventSink } from '@winnow/lab';
import { lineProgress } from '../src/terminal/lines';
import { progressOn } from '../src/terminal/progress';
import { screen } from './terminal';

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

test.each([true, false])('a phase is shown to its end (terminal: %s)', (isTTY) => {
  const { stream, text } = screen(isTTY);
  const progress = progressOn({ stderr: stream });
  const logged: RunEvent[] = [];
  const sink = eventSink(progress, (event) => logged.push(event));
  for (const event of events) sink(event);
  progress.close();
  expect(text()).toMatch(/train after step 2: loss 0.50, top1 75.00/);
  expect(text()).toMatch(
    isTTY ? /100 % \| 4\/4 \| loss 0.2500/ : /train: step 4\/4, loss 0.2500, \d+ images\/s/,
  );
  expect(logged).toEqual(events);
});

test('a log gets a line every five seconds', () => {
  let nowMs = 0;
  const { stream, text } = screen(false);
  const progress = lineProgress(stream, () => nowMs);
  progress.phase({ kind: 'phase', phase: 'train', steps: 100, from: 0 });
  for (let done = 1; done <= 100; done++) {
    nowMs += 200;
    const event = { kind: 'step' as const, phase: 'train', step: done, steps: 100, loss: 1, examples: 8 };
    progress.step(event, { imagesPerSecond: 40, remainingSeconds: (100 - done) / 5 });
  }
  expect(text().trimEnd().split('\n')).toEqual([
    'train: 100 steps',
    'train: step 25/100, loss 1.0000, 40 images/s, 15 s left',
    'train: step 50/100, loss 1.0000, 40 images/s, 10 s left',
    'train: step 75/100, loss 1.0000, 40 images/s, 5 s left',
    'train: step 100/100, loss 1.0000, 40 images/s',
  ]);
});
