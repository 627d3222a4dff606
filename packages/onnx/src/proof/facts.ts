import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { decodeModel, readModel } from '../file/decode';
import {
  type Answers,
  type Examples,
  LEAST_ROUNDS,
  type MeasuredTimes,
  type PartFacts,
  type PartJob,
  type ProofFacts,
  type ProofJob,
  type TimingJob,
} from './job';
import { measuredShapes } from './measured-shapes';
import { watchedMerges, withoutMerges } from './merges';
import { answer, answers, batchOf, namedFor, openSession } from './session';
import { thinned } from './thinned';

/** Pictures are answered so many at a time. */
const BATCH = 16;
const WARM_UP = 3;

/** Reads files and runs them in ONNX Runtime, in this process. Nothing is judged. */
export async function proofFacts({ parts, threads, timing }: ProofJob): Promise<ProofFacts> {
  const facts: PartFacts[] = [];
  const given = new Map<string, Float32Array>();
  for (const part of parts) {
    const { pictures, ...own } = await factsOf(part, threads, given);
    for (const [name, values] of Object.entries(pictures ?? {})) given.set(name, values);
    facts.push({ ...own, ...(part.isAsked === true && pictures !== undefined ? { pictures } : {}) });
  }
  const times: MeasuredTimes[] = [];
  for (const { name, path, fixed } of parts) {
    const other = timing?.against[name];
    if (timing === undefined || other === undefined) continue;
    for (const batch of timing.batchSizes)
      times.push({
        part: name,
        batch,
        ...(await inTurn(path, other, fixed, { ...timing, batch, threads })),
      });
  }
  return { runtime: runtimeVersion(), threads, parts: facts, times };
}

async function factsOf(
  { name, path, fixed: examples, pictures: shown, taken = {} }: PartJob,
  threads: number,
  given: ReadonlyMap<string, Float32Array>,
): Promise<PartFacts> {
  const bytes = await readFile(path);
  const model = decodeModel(bytes);
  const session = await openSession(path, threads);
  const fixed = namedFor(session, examples);
  const pictures = shown === undefined ? undefined : namedFor(session, withTaken(shown, taken, given));
  const order = Array.from({ length: fixed.count }, (_, number) => number);
  const back = [...order].reverse();
  const shapes = await measuredShapes(model, fixed);
  const watched = watchedMerges(model);
  const watching = watched === undefined ? session : await openSession(watched, threads);
  const { own: together, merges } = withoutMerges(
    await answers(watching, fixed, order, fixed.count),
    shapes.products,
  );
  const alone = await answers(session, fixed, order, 1);
  const reversed = inOrder(await answers(session, fixed, back, fixed.count), back);
  const all = pictures === undefined ? [] : Array.from({ length: pictures.count }, (_, number) => number);
  const own = pictures === undefined ? {} : { pictures: await answers(session, pictures, all, BATCH) };
  return {
    ...readModel(model),
    ...shapes,
    merges,
    name,
    path,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    together: thinned(together, fixed.count),
    alone: thinned(alone, fixed.count),
    reversed: thinned(reversed, fixed.count),
    ...own,
  };
}

/** Examples with what files before this one have given. @throws {Error} when they have not. */
function withTaken(
  { count, inputs }: Examples,
  taken: Readonly<Record<string, readonly number[]>>,
  given: ReadonlyMap<string, Float32Array>,
): Examples {
  const others = Object.entries(taken).map(([name, shape]) => {
    const values = given.get(name);
    if (values === undefined) throw new Error(`no file gives ${name}`);
    return [name, { shape, values }] as const;
  });
  return { count, inputs: { ...inputs, ...Object.fromEntries(others) } };
}

/** Answers that were given in another order, in their own. */
const inOrder = (given: Answers, numbers: readonly number[]): Answers =>
  Object.fromEntries(
    Object.entries(given).map(([name, values]) => {
      const size = values.length / numbers.length;
      const ordered = new Float32Array(values.length);
      numbers.forEach((number, at) => {
        ordered.set(values.subarray(at * size, (at + 1) * size), number * size);
      });
      return [name, ordered];
    }),
  );

/** Two files by turns, so that whatever else the machine does meets both. */
async function inTurn(
  own: string,
  against: string,
  fixed: Examples,
  {
    batch,
    threads,
    rounds,
    seconds = Number.POSITIVE_INFINITY,
  }: Pick<TimingJob, 'rounds' | 'seconds'> & { readonly batch: number; readonly threads: number },
): Promise<Pick<MeasuredTimes, 'own' | 'against'>> {
  const sessions = [await openSession(own, threads), await openSession(against, threads)] as const;
  const numbers = Array.from({ length: batch }, (_, at) => at % fixed.count);
  const given = sessions.map((session) => batchOf(namedFor(session, fixed), numbers));
  const round = async (): Promise<[number, number]> => {
    const took: [number, number] = [0, 0];
    for (const which of [0, 1] as const) {
      const startMs = performance.now();
      await answer(sessions[which], given[which] ?? {});
      took[which] = performance.now() - startMs;
    }
    return took;
  };
  const startMs = performance.now();
  const isLate = (): boolean => performance.now() - startMs > 1000 * seconds;
  for (let made = 0; made < WARM_UP && (made === 0 || !isLate()); made++) await round();
  const times: [number, number][] = [];
  while (times.length < rounds && (times.length < LEAST_ROUNDS || !isLate())) times.push(await round());
  return { own: times.map(([own]) => own), against: times.map(([, against]) => against) };
}

function runtimeVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('onnxruntime-node/package.json');
  const version =
    typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined;
  return typeof version === 'string' ? version : 'unknown';
}
