import fc from 'fast-check';
import protobuf from 'protobufjs';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inTemporaryFolder, pythonHas, runPython } from '@winnow/testkit';
import { z } from 'zod';
import { crc32c } from '../src/results/crc32c';
import { shownMetrics } from '../src/results/event-writer';
import { type Scalar, eventFile, scalarsOf, writeEvents } from '../src/results/tensorboard';
import { metricsFile } from '../src/run-folder/metrics';

/** The messages that TensorBoard reads, from its published definitions. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }
  message SessionLog { int32 status = 1; }
  message Summary { message Value { string tag = 1; float simple_value = 2; } repeated Value value = 1; }
`);
const event = root.lookupType('Event');
const shownEvent = z.looseObject({
  step: z.number(),
  sessionLog: z.looseObject({ status: z.number() }).nullish(),
  summary: z
    .looseObject({ value: z.array(z.object({ tag: z.string(), simpleValue: z.number() })) })
    .nullish(),
});

/** Reads a folder as TensorBoard shows it: files by name, and a session that starts makes it forget steps from there on. */
async function shownIn(folder: string): Promise<Scalar[]> {
  let shown: Scalar[] = [];
  const names = existsSync(folder) ? (await readdir(folder)).sort() : [];
  for (const name of names) {
    for (const found of eventsIn(await readFile(join(folder, name)))) {
      const { step, sessionLog, summary } = shownEvent.parse(found);
      if (sessionLog?.status === 1) shown = shown.filter((scalar) => scalar.step < step);
      for (const { tag, simpleValue: value } of summary?.value ?? []) shown.push({ tag, step, value });
    }
  }
  return shown;
}

/** Scalars in 32 bits, as TensorBoard has them. */
const rounded = (scalars: readonly Scalar[]): Scalar[] =>
  scalars.map(({ value, ...rest }) => ({ ...rest, value: Math.fround(value) }));

/** The events in a file, their checksums checked. */
function eventsIn(file: Uint8Array) {
  const bytes = Buffer.from(file);
  const unmasked = (masked: number) => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  const events: Record<string, unknown>[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(unmasked(bytes.readUInt32LE(at + 8))).toBe(crc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmasked(bytes.readUInt32LE(at + 12 + length))).toBe(crc32c(data));
    events.push(event.toObject(event.decode(data), { longs: Number, defaults: true }));
    at += length + 16;
  }
  return events;
}

test('the checksum is that of RFC 3720', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
});

test('what is written comes back: every tag, step and value', () => {
  const scalar = fc.record({
    tag: fc.string({ unit: 'grapheme' }),
    step: fc.nat(),
    value: fc.float({ noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(scalar), fc.double({ min: 0, max: 2e9, noNaN: true }), (scalars, wallSeconds) => {
      const [version, start, ...events] = eventsIn(eventFile(scalars, wallSeconds));
      expect(version).toMatchObject({ fileVersion: 'brain.Event:2' });
      expect(start).toMatchObject({ step: 0, sessionLog: { status: 1 } });
      expect(events.map(({ step, summary, wallTime }) => ({ step, summary, wallTime }))).toEqual(
        scalars.map(({ tag, step, value }) => ({
          step,
          wallTime: wallSeconds,
          summary: { value: [{ tag, simpleValue: value }] },
        })),
      );
    }),
  );
});

/** JSON knows one zero. */
const unsigned = (value: number): number => value + 0;
const phase = fc.constantFrom('search', 'retrain');
/** Events in the metrics of a run: a step, scores, a phase that goes on from a checkpoint, a process that was killed. */
const happening = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      phase,
      loss: fc.double({ min: -9, max: 9 }).map(unsigned),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('scores' as const),
      phase,
      top1: fc.double({ min: 0, max: 1 }).map(unsigned),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rewind' as const),
      phase,
      step: fc.integer({ min: -1, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'killed' as const }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** Lives through it in a run's folder, as several processes; `after` looks after each. */
async function lived(run: string, happenings: readonly Happening[], after?: () => Promise<void>) {
  const file = join(run, 'metrics.jsonl');
  const open = () =>
    shownMetrics(metricsFile(file), {
      file,
      logFolder: join(run, 'log'),
      note: (line) => expect(line).toBe(''),
    });
  let metrics = open();
  const steps: Record<string, number> = {};
  for (const happened of happenings) {
    const step = 'phase' in happened ? (steps[happened.phase] ?? 0) : 0;
    switch (happened.kind) {
      case 'step':
        steps[happened.phase] = step + 1;
        metrics.append({ phase: happened.phase, step: step + 1, loss: happened.loss, learningRate: 0.5 });
        break;
      case 'scores':
        metrics.append({ phase: happened.phase, step, scores: { top1: happened.top1 } });
        break;
      case 'rewind':
        metrics.rewind(happened.phase, happened.step);
        steps[happened.phase] = Math.min(step, Math.max(0, happened.step));
        break;
      case 'killed':
        metrics = open();
        break;
    }
    if (happened.kind === 'step') await after?.();
  }
  metrics.close();
}

test('a run that goes on, is killed and measures again is shown as its metrics are, after every step', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 25 }), async (happenings) => {
      await inTemporaryFolder(async (run) => {
        await lived(run, happenings, async () => {
          expect(await shownIn(join(run, 'log'))).toEqual(rounded(await scalarsOf(run)));
        });
      });
    }),
    { numRuns: 50 },
  );
});

test('a folder that cannot be written is said once, and the metrics are kept', async () => {
  await inTemporaryFolder(async (run) => {
    const [file, logFolder] = [join(run, 'metrics.jsonl'), join(run, 'log')];
    await writeFile(logFolder, 'a file');
    const notes: string[] = [];
    const metrics = shownMetrics(metricsFile(file), { file, logFolder, note: (line) => notes.push(line) });
    for (const step of [1, 2]) metrics.append({ phase: 'train', step, loss: 1 });
    expect(notes).toEqual([
      expect.stringMatching(/^TensorBoard shows nothing from here on: cannot write to \S+log \(/),
    ]);
    expect(await scalarsOf(run)).toHaveLength(2);
  });
});

test('a report beside what grew with the run, and another report, leave every step once', async () => {
  await inTemporaryFolder(async (run) => {
    await mkdir(join(run, 'log'));
    await writeFile(
      join(run, 'log', 'events.out.tfevents.winnow'),
      eventFile([{ tag: 'old', step: 1, value: 1 }], 0),
    );
    await lived(
      run,
      [1, 2, 3].map((loss) => ({ kind: 'step', phase: 'search', loss })),
    );
    for (let report = 0; report < 2; report++) await writeEvents(run, join(run, 'log'));
    expect(await shownIn(join(run, 'log'))).toEqual(rounded(await scalarsOf(run)));
    expect(await readdir(join(run, 'log'))).toHaveLength(2);
  });
});

const peerTest = pythonHas(['tensorboard']) ? test : test.skip;

peerTest('TensorBoard itself shows it so', async () => {
  const script = fileURLToPath(new URL('peers/tensorboard-events.py', import.meta.url));
  const steps = (phase: 'search' | 'retrain', losses: readonly number[]): Happening[] =>
    losses.map((loss) => ({ kind: 'step', phase, loss }));
  await inTemporaryFolder(async (run) => {
    await lived(run, [
      ...steps('search', [4, 3, 2, 1]),
      { kind: 'scores', phase: 'search', top1: 0.5 },
      ...steps('retrain', [9, 8, 7]),
      { kind: 'killed' },
      { kind: 'rewind', phase: 'retrain', step: 1 },
      ...steps('retrain', [6, 5]),
    ]);
    const shown: unknown = JSON.parse(runPython(script, join(run, 'log')));
    expect(shown).toEqual({
      'search/loss': [
        [1, 4],
        [2, 3],
        [3, 2],
        [4, 1],
      ],
      'search/learningRate': [1, 2, 3, 4].map((step) => [step, 0.5]),
      'search/scores/top1': [[4, 0.5]],
      'retrain/loss': [
        [1, 9],
        [2, 6],
        [3, 5],
      ],
      'retrain/learningRate': [1, 2, 3].map((step) => [step, 0.5]),
    });
  });
});
