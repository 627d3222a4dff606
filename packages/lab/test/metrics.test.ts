import { metricsFile } from '../src/run-folder/metrics';

test('a full disk under the metrics', () => {
  const metrics = metricsFile('metrics.jsonl', () => {
    throw new Error('ENOSPC: no space left on device, write');
  });
  expect(() => {
    metrics.append({ phase: 'train', step: 1 });
  }).toThrow(
    expect.objectContaining({
      exitCode: 2,
      message: expect.stringMatching(/make room, then go on with --resume/),
    }),
  );
});
