import { lineProgress } from '../src/terminal/lines';
import { progressOn } from '../src/terminal/progress';
import { screen } from './terminal';

const pace = { imagesPerSecond: 8, remainingSeconds: 1 };
const step = (step: number) => ({
  kind: 'step' as const,
  phase: 'train',
  step,
  steps: 4,
  loss: 1 / step,
  examples: 8,
});

test.each([true, false])('a phase is shown to its end (terminal: %s)', (isTTY) => {
  const { stream, text } = screen(isTTY);
  const progress = progressOn({ stderr: stream });
  progress.phase({ kind: 'phase', phase: 'train', steps: 4, from: 0 });
  progress.step(step(1), pace);
  progress.step(step(2), pace);
  progress.note('train after step 2: loss 0.50, top1 75.00');
  progress.step(step(3), pace);
  progress.step(step(4), pace);
  progress.close();
  expect(text()).toMatch(/train after step 2: loss 0.50, top1 75.00/);
  expect(text()).toMatch(
    isTTY ? /100 % \| 4\/4 \| loss 0.2500/ : /train: step 4\/4, loss 0.2500, \d+ images\/s/,
  );
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
