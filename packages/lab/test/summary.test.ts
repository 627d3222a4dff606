import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTemporaryFolder } from '@winnow/testkit';
import { comparisonFolder, isDone, summaryIn } from '../src/comparison/comparison-folder';
import { type TrainSummary, readSummary, writeSummary } from '../src/run-folder/summary';

const summary: TrainSummary = {
  command: 'train',
  run: { hash: '01234567', engine: 'wasm', precision: 'f32', winnow: '0.1.0' },
  data: { name: 'pictures', classes: 2, train: 24, validation: 8, test: 8 },
  metric: 'top1',
  ledger: [],
  wallSeconds: 1,
  model: {
    parameters: 10,
    macs: 20,
    bytes: 40,
    latency: { p50Ms: 1, p95Ms: 2 },
    milestones: [],
    scores: { top1: 50, loss: 0.5 },
  },
};

const withLoss = (loss: number): TrainSummary => ({
  ...summary,
  model: { ...summary.model, scores: { top1: 50, loss } },
});

test('a summary is read as it was written', () =>
  inTemporaryFolder(async (folder) => {
    expect(await readSummary(folder)).toBeUndefined();
    await writeSummary(folder, summary);
    expect(await readSummary(folder)).toEqual(summary);
  }));

test('a summary with a score that is no number is not written', () =>
  inTemporaryFolder(async (folder) => {
    await writeSummary(folder, summary);
    const text = readFileSync(join(folder, 'summary.json'), 'utf8');
    await expect(writeSummary(folder, withLoss(Number.NaN))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/cannot write .*summary\.json: model\.scores\.loss is NaN/),
    });
    expect(readFileSync(join(folder, 'summary.json'), 'utf8')).toBe(text);
    expect(readdirSync(folder)).toEqual(['summary.json']);
  }));

test('a job is not done by the summary of another run', () =>
  inTemporaryFolder(async (root) => {
    const comparison = comparisonFolder(root);
    const folder = comparison.runFolder('job');
    mkdirSync(folder, { recursive: true });
    await writeSummary(folder, summary);
    const record = { command: 'train', options: {}, engine: 'wasm', winnow: '0.1.0' };
    for (const { hash, done } of [
      { hash: summary.run.hash, done: true },
      { hash: 'another', done: false },
    ]) {
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...record, hash }));
      expect(await isDone(comparison, { id: 'job' })).toBe(done);
    }
    await expect(summaryIn(folder)).rejects.toThrow(
      /expected the summary of the run another, .* got that of 01234567/,
    );
    // A record that cannot be read says nothing against the results.
    writeFileSync(join(folder, 'config.json'), '{');
    expect(await summaryIn(folder)).toEqual(summary);
  }));
