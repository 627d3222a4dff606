import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { disposeTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { proofFacts } from '@winnow/onnx/facts';
import { type ProofFacts, type ProofJob } from '@winnow/onnx';
import { ModelProtoSchema } from 'onnx-buf';
import { type OpenedModel, certificateSchema, evaluateModel, openModel, proveModel } from '../src/index';
import { companionsOf } from '../src/model-source/export-model';
import { type Claim, proveFiles } from '../src/proof/prove-files';
import { realPictures } from '../src/proof/real-pictures';
import { lies } from './lies';
import { provedModel } from './proved-model';

const root = await provedModel();
const at = (...path: string[]) => join(root, ...path);
const FILE = join('onnx', 'model.onnx');
const MINUTES = 180_000;

let opened: OpenedModel;
let claim: Claim;

beforeAll(async () => {
  await startEngine('wasm');
  opened = await openModel(at('cut'));
  const { modelParts } = await import('@winnow/onnx');
  claim = {
    opened,
    companions: await companionsOf(opened),
    precision: 'f32',
    folder: at('proof'),
    pictures: await realPictures(at('cut'), opened, modelParts(opened.model), {
      data: at('pictures'),
      pictures: 8,
    }),
    threads: 1,
    timing: { against: { model: at('proof', FILE) }, batchSizes: [1], rounds: 3 },
  };
});
afterAll(() => {
  disposeTree(opened.params);
  rmSync(root, { recursive: true, force: true });
});

const options = { engine: 'wasm', threads: 1, data: at('pictures'), pictures: 8 };
const timed = { against: at('dense'), rounds: 6, timedBatch: 2 };

test(
  'a cut model is proved beside its dense one, in a process of its own',
  async () => {
    const { certificate, failed } = await proveModel(at('cut'), {
      ...options,
      ...timed,
      out: at('proof'),
    });
    expect(certificate.checks.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
    expect([failed, certificate.verdict]).toEqual([[], 'proven']);
    expect(
      certificateSchema.parse(JSON.parse(readFileSync(at('proof', 'certificate.json'), 'utf8'))),
    ).toEqual(certificate);
    expect(certificate.counts.parameters.files).toBe(opened.model.account.parameters);
    expect(certificate.counts.macs.files + certificate.counts.macs.unread).toBe(opened.model.account.macs);
    expect(certificate.agreement).toMatchObject({ pictures: 8, share: 1 });
    const scored = await evaluateModel(at('cut'), { engine: 'wasm', data: at('pictures') });
    const right = Math.round((scored.examples * (scored.scores['top1'] ?? Number.NaN)) / 100);
    expect([scored.examples, certificate.agreement?.right]).toEqual([8, { files: right, engine: right }]);
    expect(certificate.timings.map(({ batch, rounds }) => [batch, rounds])).toEqual([
      [1, 6],
      [2, 6],
    ]);
    const page = readFileSync(at('proof', 'certificate.html'), 'utf8');
    for (const text of ['The files are the model', certificate.files[0]?.sha256 ?? 'none', 'Times faster'])
      expect(page).toContain(text);
  },
  MINUTES,
);

test(
  'the same in float16; without data and a dense model their parts are left out',
  async () => {
    const { certificate } = await proveModel(at('cut'), {
      engine: 'wasm',
      threads: 1,
      precision: 'f16',
      opset: 20,
      out: at('half'),
    });
    expect(certificate.verdict).toBe('proven');
    expect(certificate.checks.flatMap(({ name, verdict }) => (verdict === 'left out' ? [name] : []))).toEqual(
      ['agreement', 'latency'],
    );
    expect(existsSync(at('half', 'onnx', 'model_fp16.onnx'))).toBe(true);
  },
  MINUTES,
);

test(
  'the same in whole numbers, whose ranges are chosen by pictures of the training split',
  async () => {
    const { certificate } = await proveModel(at('cut'), { ...options, precision: 'int8', out: at('whole') });
    expect([certificate.verdict, certificate.checks.filter(({ verdict }) => verdict === 'fails')]).toEqual([
      'proven',
      [],
    ]);
    expect(certificate.counts.bytes.parameters).toBeLessThan(4 * certificate.counts.parameters.files * 0.6);
    const own: Claim = { ...claim, precision: 'int8', folder: at('whole-lie') };
    const file = join('onnx', 'model_quantized.onnx');
    for (const [name, part, change] of [
      [
        'constant.blocks.0.ffn.expand.weight.scale',
        'outputs',
        (raw: Uint8Array) => new Float32Array(raw.buffer).fill(0.5),
      ],
      ['blocks.1.attention.key.weight', 'weights', (raw: Uint8Array) => (raw[5] = (raw[5] ?? 0) ^ 3)],
    ] as const) {
      cpSync(at('whole'), own.folder, { recursive: true });
      const model = fromBinary(ModelProtoSchema, readFileSync(join(own.folder, file)));
      const tensor = model.graph?.initializer.find((each) => each.name === name);
      if (tensor === undefined) throw new Error(`there is no ${name}`);
      const raw = Uint8Array.from(tensor.rawData);
      change(raw);
      tensor.rawData = raw;
      writeFileSync(join(own.folder, file), toBinary(ModelProtoSchema, model));
      expect(await failing(own)).toContain(part);
    }
  },
  MINUTES,
);

test('whole numbers are refused without pictures', async () => {
  const given = { engine: 'wasm', precision: 'int8', out: at('none') };
  await expect(proveModel(at('cut'), given)).rejects.toThrow('no data are known');
});

/** The parts of the proof that fail for a claim. */
async function failing(
  own: Claim,
  run: (job: ProofJob) => Promise<ProofFacts> = proofFacts,
): Promise<string[]> {
  const { checks } = await proveFiles(own, run);
  return checks.flatMap(({ name, verdict }) => (verdict === 'fails' ? [name] : []));
}

describe('every lie is found:', () => {
  test('where there is none, nothing is', async () => {
    expect(await failing(claim)).toEqual([]);
  });

  test.each(lies)('%s (%s)', async (_, part, lie) => {
    const folder = at('lie');
    cpSync(at('proof'), folder, { recursive: true });
    const model = fromBinary(ModelProtoSchema, readFileSync(join(folder, FILE)));
    lie(model);
    writeFileSync(join(folder, FILE), toBinary(ModelProtoSchema, model));
    expect(await failing({ ...claim, folder })).toContain(part);
  });

  test('the dense model in the place of the cut one', async () => {
    await proveModel(at('dense'), { engine: 'wasm', threads: 1, pictures: 0, out: at('other') });
    expect(await failing({ ...claim, folder: at('other') })).toEqual(
      expect.arrayContaining(['labels', 'weights', 'widths', 'counts', 'outputs']),
    );
  });

  test('a file beside the model that prepares pictures otherwise', async () => {
    const folder = at('prepared');
    cpSync(at('proof'), folder, { recursive: true });
    const file = join(folder, 'preprocessor_config.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('0.485', '0.5'));
    expect(await failing({ ...claim, folder })).toEqual(['labels']);
  });

  const changed = (change: (facts: ProofFacts) => ProofFacts) => async (job: ProofJob) =>
    change(await proofFacts(job));

  test.each<[string, string, (facts: ProofFacts) => ProofFacts]>([
    ['times that were not taken', 'latency', (facts) => ({ ...facts, times: [] })],
    [
      'a time that is none',
      'latency',
      (facts) => ({ ...facts, times: facts.times.map((own) => ({ ...own, own: own.own.map(() => 0) })) }),
    ],
    [
      'fewer rounds than are said',
      'latency',
      (facts) => ({ ...facts, times: facts.times.map((own) => ({ ...own, against: own.against.slice(1) })) }),
    ],
    [
      'pictures that were not answered',
      'agreement',
      (facts) => ({
        ...facts,
        parts: facts.parts.map((part) => ({
          ...part,
          pictures: { logits: (part.pictures?.['logits'] ?? new Float32Array()).slice(2) },
        })),
      }),
    ],
    ['a part without a file', 'files', (facts) => ({ ...facts, parts: [] })],
  ])('%s (%s)', async (_, part, change) => {
    expect(await failing(claim, changed(change))).toContain(part);
  });

  test('a report of other numbers, and a decision that keeps other units', async () => {
    const { account } = opened.model;
    const lied = { ...claim, opened: withAccount({ parameters: account.parameters - 1 }) };
    expect(await failing(lied)).toEqual(['counts']);
    expect(await failing({ ...claim, opened: withAccount({ macs: account.macs + 16 }) })).toEqual(['counts']);
    const { decision } = opened;
    const [id, site] = Object.entries(decision?.sites ?? {})[0] ?? [];
    if (decision === undefined || id === undefined || site?.kind !== 'keep')
      throw new Error('expected a decision');
    const fewer = { ...decision, sites: { ...decision.sites, [id]: { ...site, kept: [0] } } };
    expect(await failing({ ...claim, opened: { ...opened, decision: fewer } })).toContain('decision');
  });
});

function withAccount(other: Partial<OpenedModel['model']['account']>): OpenedModel {
  if (opened.dense !== undefined) throw new Error('expected a dense model');
  return { ...opened, model: { ...opened.model, account: { ...opened.model.account, ...other } } };
}

test('ONNX Runtime’s own words where it cannot run a file', async () => {
  const folder = at('broken');
  cpSync(at('proof'), folder, { recursive: true });
  const bytes = readFileSync(join(folder, FILE));
  writeFileSync(join(folder, FILE), bytes.subarray(0, 2000));
  await expect(proveFiles({ ...claim, folder }, proofFacts)).rejects.toThrow();
});
