import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { matMul, tidy } from '@tensorflow/tfjs-core';
import { availableEngines, startEngine } from '@winnow/engine';
import { proveApart } from '@winnow/onnx';
import { runPage } from '@winnow/report';
import { z } from 'zod';
import { certificateSchema, compress, readSummary } from '../src/index';
import { singleRunPage } from '../src/comparison/single-run';
import { type ProvedRun, proveRun } from '../src/proof/prove-run';
import { type RunRecord, readRecord } from '../src/run-folder/record';
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
const runOf = (modelFolder: string, computed: Partial<RunRecord> = {}): ProvedRun => ({
  folder: root,
  modelFolder,
  record: {
    ...{ command: 'compress', options: {}, hash: '0', engine: 'wasm', precision: 'f32', winnow: '0' },
    ...computed,
  },
});

test(
  'a compression ends in a proof of all parts, with a certificate in its folder, its summary and its page',
  async () => {
    const out = at('run');
    const { summary } = await compress({
      ...{ data: at('pictures'), from: at('dense'), method: 'magnitude', batchSize: 4, retrain: '1it' },
      ...{ engine: 'wasm', out },
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

/** Writes the dense model into a folder. */
const saveDense = (folder: string): Promise<void> => {
  cpSync(at('dense'), folder, { recursive: true });
  return Promise.resolve();
};

test('a quick proof leaves out pictures and times, and none is none', async () => {
  const quick = await proveRun(runOf(at('cut')), 'quick', saveDense);
  expect(quick).toMatchObject({ leftOut: ['agreement', 'latency'] });
  expect(quick).toMatchObject({
    holds: expect.arrayContaining(['weights', 'widths', 'counts', 'outputs', 'batch']),
  });
  expect(await proveRun(runOf(at('cut')), 'none', saveDense)).toBeUndefined();
});

test(
  'the dense model is timed as it was compressed: for pictures of another size than its file says',
  async () => {
    const out = at('larger');
    const { summary } = await compress({
      ...{ data: at('pictures'), from: at('dense'), method: 'magnitude', batchSize: 4, retrain: '0it' },
      ...{ engine: 'wasm', imageSize: 32, out },
    });
    expect(summary.proof).toMatchObject({ leftOut: [] });
    const { against, timings } = certificateIn(out);
    expect(against?.summary).toContain('32 px');
    expect(timings.map(({ batch }) => batch)).toEqual([1, 32]);
    expect(existsSync(join(out, 'proof', 'dense'))).toBe(false);
  },
  MINUTES,
);

test('a proof stops where its run is told to, before ONNX Runtime answers and while it does', async () => {
  const stopped = proveRun(runOf(at('cut')), 'quick', saveDense, AbortSignal.abort());
  await expect(stopped).rejects.toMatchObject({ exitCode: 130 });
  const stop = new AbortController();
  const part = { name: 'model', path: at('none.onnx'), fixed: { count: 0, inputs: {} } };
  const asked = proveApart({ parts: [part], threads: 1 }, stop.signal);
  stop.abort();
  await expect(asked).rejects.toMatchObject({ exitCode: 130 });
});

test('data that are gone leave agreement out, and the certificate says why', async () => {
  const run = runOf(at('cut'), { options: { data: at('gone'), task: 'classification' } });
  writeFileSync(at('config.json'), JSON.stringify(run.record));
  try {
    expect(await proveRun(run, 'full', saveDense)).toMatchObject({ leftOut: ['agreement'] });
    const agreement = certificateIn(root).checks.find(({ name }) => name === 'agreement');
    expect(agreement?.says.join()).toContain(at('gone'));
  } finally {
    rmSync(at('config.json'));
  }
});

const torch = (await availableEngines()).find(({ name }) => name === 'torch');
(torch?.available === true ? describe : describe.skip)(
  `a run in bf16 on the torch engine${torch?.available === false ? ` (${torch.reason})` : ''}`,
  () => {
    beforeAll(() => startEngine('torch', { precision: 'bf16', threads: 1 }));
    afterAll(() => startEngine('wasm'));

    /** 1 + 2⁻¹² is 1 in bf16. */
    const rounds = (): boolean => {
      const [product] = tidy(() => matMul([[1 + 2 ** -12]], [[1]]).dataSync());
      return product === 1;
    };

    test('its answers are compared in float32, and it goes on in bf16', async () => {
      expect(rounds()).toBe(true);
      const run = runOf(at('cut'), { engine: 'torch', precision: 'bf16', threads: 1 });
      expect(await proveRun(run, 'quick', saveDense)).toMatchObject({
        holds: expect.arrayContaining(['outputs', 'batch']),
      });
      expect(certificateIn(root).environment.engine).toMatch(/1 thread, f32/);
      expect(rounds()).toBe(true);
    });
  },
);

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
  await expect(proveRun(runOf(lied), 'quick', saveDense)).rejects.toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/^the proof fails \(decision\): .*certificate\.json says why$/),
  });
  expect(certificateIn(root).verdict).toBe('failed');
});
