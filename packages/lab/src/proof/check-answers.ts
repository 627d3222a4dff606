import { type Middle, type ShareInterval, middleOf, wilson } from '@winnow/core';
import type { Answers, MeasuredTimes, PartFacts, TimingJob } from '@winnow/onnx';
import type { OnnxPrecision } from '../onnx/precision';
import { type Check, checked } from './check';

/** The distances that answers of files may have from the engine's, as a share of the greatest; and from those to another batch. */
const tolerances: Readonly<
  Record<OnnxPrecision, { readonly engine: number; readonly batch: number; readonly agreement: number }>
> = {
  f32: { engine: 1e-4, batch: 1e-5, agreement: 0.99 },
  f16: { engine: 2e-2, batch: 5e-3, agreement: 0.97 },
  // A number at the edge of a step may fall on either side of it.
  int8: { engine: 0.25, batch: 0.05, agreement: 0.9 },
};

/** Below it lie logits of what is padding, and nothing else: their size says nothing about that of the others. */
const FAR_BELOW = -5e3;

/**
 * The greatest difference, as a share of the greatest number that was expected: logits of padding, which lie far below all others, are
 * measured by such, and the others by the others. NaN where there are other numbers of them.
 */
export function distance(found: Float32Array, wanted: Float32Array): number {
  if (found.length !== wanted.length || wanted.length === 0) return Number.NaN;
  const near = { apart: 0, greatest: 0, count: 0 };
  const far = { ...near };
  for (const [at, value] of wanted.entries()) {
    const own = found[at] ?? Number.NaN;
    if (Number.isNaN(own)) return Number.NaN;
    const group = value < FAR_BELOW ? far : near;
    group.count += 1;
    group.apart = Math.max(group.apart, Math.abs(value - own));
    group.greatest = Math.max(group.greatest, Math.abs(value));
  }
  const shares = [near, far].flatMap(({ apart, greatest, count }) => (count === 0 ? [] : [apart / greatest]));
  return Math.max(...shares);
}

const shareText = (share: number): string => share.toExponential(1);

/**
 * The answers to fixed examples are the engine's.
 * @param merging Sentences on tokens that merge, which are those of the files in both.
 */
export function checkOutputs(
  parts: readonly PartFacts[],
  answers: ReadonlyMap<string, Answers>,
  precision: OnnxPrecision,
  merging: readonly { readonly wrong: readonly string[]; readonly says: readonly string[] }[] = [],
): Check {
  const { engine } = tolerances[precision];
  const found = parts.flatMap(({ name, together }) => {
    const wanted = answers.get(name) ?? {};
    const all = [...new Set([...Object.keys(wanted), ...Object.keys(together)])];
    return all.map((output) => ({
      name: all.length === 1 ? name : `${name}, ${output}`,
      apart: distance(together[output] ?? NOTHING, wanted[output] ?? NOTHING),
    }));
  });
  const wrong = found.filter(({ apart }) => !(apart <= engine));
  return checked(
    'outputs',
    [
      ...wrong.map(
        ({ name, apart }) =>
          `${name}: answers are ${shareText(apart)} of the greatest away from the engine's, ${engine} is allowed`,
      ),
      ...(found.length === 0 ? ['there are no answers'] : []),
      ...merging.flatMap((own) => own.wrong),
    ],
    [
      ...found.map(
        ({ name, apart }) => `${name}: within ${shareText(apart)} of the greatest answer of the engine`,
      ),
      ...merging.flatMap((own) => own.says),
    ],
  );
}

/** In the place of an answer that is not there: it is NaN away from any that is. */
const NOTHING = new Float32Array();

/** An answer does not depend on what else is in its batch, nor on its place there. */
export function checkBatch(parts: readonly PartFacts[], precision: OnnxPrecision): Check {
  const { batch } = tolerances[precision];
  const wrong = parts.flatMap(({ name, together, alone, reversed }) =>
    [
      ['alone', farthest(alone, together)] as const,
      ['in another order', farthest(reversed, together)] as const,
    ].flatMap(([how, apart]) =>
      apart <= batch
        ? []
        : [`${name}: ${how}, answers are ${shareText(apart)} of the greatest away from those in a batch`],
    ),
  );
  return checked('batch', wrong, ['examples have the same answers alone, together and in another order']);
}

/** The output that is farthest from what it was in a batch; NaN before any. */
function farthest(found: Answers, together: Answers): number {
  const apart = Object.entries(together).map(([name, values]) => distance(found[name] ?? NOTHING, values));
  return apart.some(Number.isNaN) ? Number.NaN : Math.max(...apart);
}

/** The share of real pictures for which file and engine say the same class. */
export interface Agreement extends ShareInterval {
  readonly pictures: number;
  /** The kind of example that they are, in the plural: pictures, perhaps with texts, or pairs of them. */
  readonly of: string;
  /** The numbers of them that the file and the engine are right about, where the data say it. */
  readonly right?: { readonly files: number; readonly engine: number };
}

export function checkAgreement(
  found: Float32Array = NOTHING,
  wanted: Float32Array = NOTHING,
  {
    classes,
    pictures,
    labels,
    precision,
    examples,
    fewer,
    told,
  }: {
    /** The thing that is told of each, in the singular. */
    readonly told: 'class' | 'text';
    readonly classes: number;
    readonly pictures: number;
    /** The kind of example that they are, in the plural. */
    readonly examples: string;
    readonly fewer?: string | undefined;
    readonly labels?: Int32Array | undefined;
    readonly precision: OnnxPrecision;
  },
): { readonly check: Check; readonly agreement?: Agreement } {
  const { agreement: least } = tolerances[precision];
  const [own, engine] = [classesOf(found, classes), classesOf(wanted, classes)];
  if (own.length !== engine.length || engine.length < pictures || engine.length % pictures !== 0) {
    const wrong = [`${own.length} ${examples} were answered, ${pictures} were to be`];
    return { check: checked('agreement', wrong, []) };
  }
  const each = engine.length / pictures;
  const hits = engine.filter((answer, at) => answer === own[at]).length / each;
  // What is said of one picture hangs together: the interval is that of so many pictures, not of pixels.
  const share = wilson(hits, pictures);
  const interval = `(95 %: ${percent(share.low)} to ${percent(share.high)})`;
  const text =
    each === 1
      ? `the same ${told} for ${hits} of ${pictures} ${examples} ${interval}`
      : `of ${pictures} ${examples}, with ${each} answers each, ${percent(share.share)} of the answers are the same class ${interval}`;
  const wrong = share.share >= least ? [] : [`${text}; ${percent(least)} is the least`];
  const rightIn = (answers: readonly number[]) =>
    answers.filter((answer, at) => answer === labels?.[at]).length;
  const right = labels === undefined ? undefined : { files: rightIn(own), engine: rightIn(engine) };
  const says = [
    text,
    ...(right === undefined
      ? []
      : [
          `the files are right about ${right.files} of them (${percent(right.files / own.length)}), the engine about ${right.engine} (${percent(right.engine / engine.length)})`,
        ]),
    ...(fewer === undefined ? [] : [fewer]),
  ];
  return {
    check: checked('agreement', wrong, says),
    agreement: { ...share, pictures, of: examples, ...(right === undefined ? {} : { right }) },
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function classesOf(logits: Float32Array, classes: number): number[] {
  return Array.from({ length: Math.floor(logits.length / classes) }, (_, at) => {
    const own = logits.subarray(at * classes, (at + 1) * classes);
    return own.reduce((best, value, index) => (value > (own[best] ?? -Infinity) ? index : best), 0);
  });
}

/** Medians of a part's two files at a batch size, and how many times faster the smaller one is, round by round. */
export interface Timing {
  readonly part: string;
  readonly batch: number;
  readonly rounds: number;
  readonly ownMs: Middle;
  readonly denseMs: Middle;
  readonly timesFaster: Middle;
  readonly says: string;
}

/**
 * Times that were to be taken are there, of both files in turn. That the smaller model is faster is told, not demanded.
 * @param least The fewest rounds, where time may end them; default: all.
 */
export function checkLatency(
  times: readonly MeasuredTimes[],
  asked:
    | (Pick<TimingJob, 'batchSizes' | 'rounds' | 'seconds'> & { readonly parts: readonly string[] })
    | undefined,
  least = asked?.rounds ?? 0,
): { readonly check: Check; readonly timings: readonly Timing[] } {
  if (asked === undefined) {
    const says = ['no dense model was named to be timed against: --against'];
    return { check: { name: 'latency', verdict: 'left out', says }, timings: [] };
  }
  const wrong: string[] = [];
  const timings: Timing[] = [];
  for (const part of asked.parts) {
    for (const batch of asked.batchSizes) {
      const found = times.find((own) => own.part === part && own.batch === batch);
      const isThere = [found?.own, found?.against].every(
        (own) =>
          own !== undefined &&
          own.length === found?.own.length &&
          own.length >= least &&
          own.length <= asked.rounds &&
          own.every((time) => Number.isFinite(time) && time > 0),
      );
      if (found === undefined || !isThere) {
        wrong.push(`${part}: of ${least} rounds at batch ${batch} some times are missing`);
        continue;
      }
      timings.push(timingOf(found));
    }
  }
  return {
    check: checked(
      'latency',
      wrong,
      timings.map(({ says }) => says),
    ),
    timings,
  };
}

function timingOf({ part, batch, own, against }: MeasuredTimes): Timing {
  const timesFaster = middleOf(own.map((time, round) => (against[round] ?? Number.NaN) / time));
  const [ownMs, denseMs] = [middleOf(own), middleOf(against)];
  const ratio = `${timesFaster.median.toFixed(2)}× (95 %: ${timesFaster.low.toFixed(2)} to ${timesFaster.high.toFixed(2)})`;
  const verdict =
    timesFaster.low > 1
      ? `faster: ${ratio}`
      : timesFaster.high < 1
        ? `slower: ${ratio}`
        : `no faster: ${ratio}`;
  const ms = ({ median }: Middle) => `${median < 999.5 ? median.toPrecision(3) : median.toFixed(0)} ms`;
  return {
    part,
    batch,
    rounds: own.length,
    ownMs,
    denseMs,
    timesFaster,
    says: `${part} at batch ${batch}: ${ms(ownMs)}, dense ${ms(denseMs)}; ${verdict}`,
  };
}
