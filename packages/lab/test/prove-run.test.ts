import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runPage } from '@winnow/report';
import { z } from 'zod';
import { certificateSchema, compress, readSummary } from '../src/index';
import { singleRunPage } from '../src/comparison/single-run';
import { proveRun } from '../src/proof/prove-run';
import { readRecord } from '../src/run-folder/record';
import { provedModel } from './proved-model';

const root = await provedModel();
const at = (...path: string[]) => join(root, ...path);
const MINUTES = 180_000;
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const certificateIn = (folder: string) =>
  certificateSchema.parse(JSON.parse(readFileSync(join(folder, 'proof', 'certificate.json'), 'utf8')));

/** A model that a run is said to have saved. */
const runOf = (modelFolder: string, precision: 'f32' | 'bf16' = 'f32') => ({
  folder: root,
  modelFolder,
  record: {
    ...{ command: 'compress', options: {}, hash: '0' },
    engine: 'wasm' as const,
    precision,
    winnow: '0',
    paths: {},
  },
});

test(
  'a compression ends in a proof of all parts, with a certificate in its folder, its summary and its page',
  async () => {
    const out = at('run');
    const { summary } = await compress({
      ...{ data: at('pictures'), from: at('dense'), method: 'magnitude', batchSize: 4, retrain: '1it' },
      ...{ engine: 'wasm', prove: 'full', out },
    });
    const all = certificateIn(out).checks.map(({ name }) => name);
    expect(all).toHaveLength(10);
    expect(summary.proof).toEqual({ page: 'proof/certificate.html', holds: all, leftOut: [] });
    expect(await readSummary(out)).toEqual(summary);
    for (const file of ['certificate.html', join('onnx', 'model.onnx')])
      expect(existsSync(join(out, 'proof', file))).toBe(true);
    const record = await readRecord(out);
    if (record === undefined) throw new Error('expected a record');
    expect(Object.keys(record.options)).not.toContain('prove');
    const page = runPage(await singleRunPage(out, record, summary, []));
    expect(page).toContain('<a href="proof/certificate.html">a certificate</a>');
  },
  MINUTES,
);

test('a quick proof leaves out pictures and times, one of another precision the answers, and none is none', async () => {
  const left = ['agreement', 'latency'];
  const quick = await proveRun(runOf(at('cut')), 'quick', at('dense'));
  expect(quick).toMatchObject({ leftOut: left });
  expect(quick).toMatchObject({
    holds: expect.arrayContaining(['weights', 'widths', 'counts', 'outputs', 'batch']),
  });
  const rough = await proveRun(runOf(at('cut'), 'bf16'), 'quick', at('dense'));
  expect(rough).toMatchObject({ leftOut: ['outputs', ...left] });
  expect(certificateIn(root).checks.find(({ name }) => name === 'outputs')?.says).toEqual([
    'the engine computed in bf16: winnow prove compares answers in f32',
  ]);
  expect(await proveRun(runOf(at('cut')), 'none', at('dense'))).toBeUndefined();
});

const structure = z.looseObject({
  decision: z.looseObject({ sites: z.record(z.string(), z.looseObject({})) }),
});

/** The cut model, with something else in its structure. */
function changed(name: string, change: (content: z.output<typeof structure>) => void): string {
  const folder = at(name);
  cpSync(at('cut'), folder, { recursive: true });
  const file = join(folder, 'structure.json');
  const content = structure.parse(JSON.parse(readFileSync(file, 'utf8')));
  change(content);
  writeFileSync(file, JSON.stringify(content));
  return folder;
}

test('a proof that fails names the part, and its certificate stays', async () => {
  const lied = changed('lied', ({ decision: { sites } }) => {
    const [id, site] = Object.entries(sites).find(([, own]) => own['kind'] === 'keep') ?? ['', {}];
    sites[id] = { ...site, kept: [0] };
  });
  await expect(proveRun(runOf(lied), 'quick', at('dense'))).rejects.toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/^the proof fails \(decision\): .*certificate\.json says why$/),
  });
  expect(certificateIn(root).verdict).toBe('failed');
});
