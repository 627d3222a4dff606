import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HubServer, makePictures, startHub } from '@winnow/testkit';
import { z } from 'zod';
import { compare } from '@winnow/lab';
import { timmTensors, writeCheckpoint } from './checkpoints';
import { tinyComparison } from './comparison';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-hub-'));
const at = (...path: string[]) => join(root, ...path);
const [COMMIT, NEXT] = ['ab'.repeat(20), 'cd'.repeat(20)];
const PINNED = `hf:timm/tiny@${COMMIT}`;
const before = { ...process.env };
let hub: HubServer;

const filesIn = async (folder: string): Promise<Record<string, Uint8Array>> =>
  Object.fromEntries(
    await Promise.all(
      (await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name))] as const),
    ),
  );
const recordIn = async (folder: string) =>
  z
    .looseObject({ options: z.looseObject({ from: z.string() }), paths: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')));

beforeAll(async () => {
  await makePictures(at('two'));
  const tensors = timmTensors({ width: 8, hidden: 16, classes: 2 });
  const config = { architecture: 'vit_tiny', num_heads: 2, num_classes: 2 };
  await writeCheckpoint(at('local'), tensors, { 'config.json': config });
  const files = await filesIn(at('local'));
  hub = await startHub({ 'timm/tiny': { commits: { [COMMIT]: files }, refs: { main: COMMIT } } });
});
afterAll(async () => {
  await hub.close();
  await rm(root, { recursive: true, force: true });
});
beforeEach(() => {
  Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_HUB_CACHE: at('cache') });
  delete process.env['HF_TOKEN'];
  delete process.env['HF_HUB_OFFLINE'];
});
afterEach(() => {
  process.env = { ...before };
});

const TINY = ['--engine', 'wasm', '--batch-size', '4', '--evaluate-every', '0it'];
const train = (...more: string[]) =>
  winnow(['train', ...TINY, '--data', at('two'), '--duration', '2it', ...more]);

describe('a model of the Hub', () => {
  test('is trained on, pinned by its commit, as the same files at a path are', async () => {
    const { code, stderr } = await train('--from', 'hf:timm/tiny', '--out', at('run'));
    expect([code, stderr]).toEqual([0, expect.stringMatching(/hf:timm\/tiny@main: fetching 0\.0 MB/)]);
    const { options, paths } = await recordIn(at('run'));
    expect(options.from).toBe(PINNED);
    expect(Object.keys(paths)).not.toContain('from');
    expect((await train('--from', at('local'), '--out', at('same'))).code).toBe(0);
    const weights = (run: string) => readFile(at(run, 'model', 'model.safetensors'));
    expect(Buffer.compare(await weights('run'), await weights('same'))).toBe(0);
  });

  test('is the same commit for a run that goes on, whatever its branch is at now', async () => {
    const served = hub.models['timm/tiny'];
    const files = served?.commits[COMMIT] ?? {};
    const config = new TextEncoder().encode('{"architecture":"vit_other","num_heads":4,"num_classes":2}');
    hub.models['timm/tiny'] = {
      commits: { [COMMIT]: files, [NEXT]: { ...files, 'config.json': config } },
      refs: { main: NEXT },
    };
    rmSync(at('run', 'summary.json'));
    rmSync(at('run', 'model'), { recursive: true });
    rmSync(at('cache'), { recursive: true });
    expect(await winnow(['train', '--resume', '--out', at('run')])).toMatchObject({ code: 0 });
    expect(await readdir(at('cache', 'models--timm--tiny', 'snapshots'))).toEqual([COMMIT]);
    const other = await train('--from', 'hf:timm/tiny', '--resume', '--out', at('run'));
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/from: \w{12} there, \w{12} here/)]);
    if (served !== undefined) hub.models['timm/tiny'] = served;
  });

  test.each<[string, string[], RegExp]>([
    ['inspected', ['inspect', 'hf:timm/tiny'], /Sites, with/],
    ['imported', ['import', 'hf:timm/tiny', '--out', at('imported')], /parameters, in/],
  ])('can be %s', async (_, args, shown) => {
    const { code, stdout, stderr } = await winnow(args);
    expect([code, stdout, stderr]).toEqual([
      0,
      expect.stringMatching(shown),
      expect.not.stringMatching(/Error/),
    ]);
  });

  test('stays known of a model that was imported', async () => {
    const structure = await readFile(at('imported', 'structure.json'), 'utf8');
    expect(z.looseObject({ origin: z.unknown() }).parse(JSON.parse(structure)).origin).toEqual({
      from: PINNED,
    });
  });

  test('is no path: a file that others have called so is not looked at', async () => {
    const { code, stderr } = await winnow(['inspect', 'hf:nobody/nothing']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /^winnow: hf:nobody\/nothing@main: there is no public model nobody\/nothing on http:\S+:/,
      ),
    ]);
    expect((await winnow(['evaluate', 'hf:timm'])).stderr).toMatch(
      /^winnow: expected a model of the Hub as hf:/,
    );
  });

  test('is the same commit in all runs of a comparison', async () => {
    const [workload] = tinyComparison(at('two')).workloads;
    const dense = { from: 'hf:timm/tiny', duration: '0it', evaluateEvery: '0it' };
    const config = tinyComparison(at('two'), {
      methods: [{ method: 'magnitude', options: { search: '0it' } }],
      without: ['trained-on', 'magnitude', 'random'],
      workloads: [{ ...workload, dense }],
      seeds: [1],
    });
    const {
      opened: { outcomes },
    } = await compare(config, { out: at('compared') });
    expect(outcomes.failures).toEqual([]);
    const runs = await Promise.all(
      (await readdir(at('compared', 'runs'))).map((run) => recordIn(at('compared', 'runs', run))),
    );
    expect(runs.map(({ options }) => options.from)).toContain(PINNED);
    const record: unknown = JSON.parse(await readFile(at('compared', 'comparison.json'), 'utf8'));
    expect(record).toMatchObject({ paths: { pictures: { from: PINNED } } });
  });

  test('is not asked for where a text is only to be shown, or the Hub is to be left alone', async () => {
    const asked = hub.requests.length;
    expect((await winnow(['train', '--from', 'hf:timm/other', '--help'])).code).toBe(0);
    process.env['HF_HUB_OFFLINE'] = '1';
    expect((await winnow(['inspect', 'hf:timm/tiny'])).code).toBe(0);
    expect((await winnow(['inspect', 'hf:timm/other'])).stderr).toMatch(/is not whole in the cache/);
    expect(hub.requests).toHaveLength(asked);
    expect(existsSync(at('cache', 'models--timm--other'))).toBe(false);
  });
});
