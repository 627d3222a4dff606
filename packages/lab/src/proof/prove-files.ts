import { join } from 'node:path';
import { blipFamily, denseConfigOf, runningOf } from '@winnow/core';
import { type Companions, PREPROCESSOR_FILE, readBytesIfThere } from '@winnow/formats';
import type { Answers, Examples, ModelPart, PartFacts, ProofFacts, ProofJob } from '@winnow/onnx';
import type { OpenedModel } from '../model-source/open-model';
import { type OnnxPrecision, onnxFile } from '../onnx/precision';
import { metadataOf } from '../onnx/write-onnx';
import { type SeenAgreement, agreementOf, isAskedPart } from './agreement';
import type { Check, CheckName } from './check';
import { type Timing, checkBatch, checkLatency, checkOutputs } from './check-answers';
import { type Counts, checkCounts } from './check-counts';
import { checkDecision, checkLabels, checkWeights, checkWidths } from './check-files';
import { isOfData } from './data-examples';
import { digestOfExamples, digestOfNumbers } from './digest';
import { comparedExamples, engineAnswers, engineShapes } from './engine-answers';
import { type Expectation, type ExpectedPart, expectedTensors, normWidths } from './expectation';
import { type MergesOfFile, mergesOfFile } from './merging';
import type { RealPictures } from './real-pictures';

/** Files that are said to be a model, and what they are to be held against. */
export interface Claim {
  /** The model, with the engine that runs. */
  readonly opened: OpenedModel;
  readonly companions: Companions;
  readonly precision: OnnxPrecision;
  /** The folder of the files. */
  readonly folder: string;
  readonly pictures: RealPictures;
  readonly threads: number;
  /** Files of the dense model, by part, and how they are timed. */
  readonly timing?: ProofJob['timing'];
  /** The parts that nothing is asked for, each with the reason. */
  readonly leftOut?: Readonly<Partial<Record<CheckName, string>>>;
  readonly signal?: AbortSignal | undefined;
}

/** All that was found. */
export interface Findings {
  readonly checks: readonly Check[];
  readonly counts: Counts;
  readonly timings: readonly Timing[];
  readonly agreement: SeenAgreement | undefined;
  readonly facts: ProofFacts;
  readonly fixed: Readonly<
    Record<string, { readonly examplesSha256: string; readonly answersSha256: string }>
  >;
}

const MOST_BYTES = 2 ** 20;

/**
 * Holds files against the model that they are said to be. What the model is, is asked of the engine here; what the files are, of
 * ONNX Runtime, in a process of its own.
 * @param run Runs the files; a test may do it here.
 * @throws {InterruptedError} when the signal says so.
 * @throws {Error} when a file cannot be read or run.
 */
export async function proveFiles(
  claim: Claim,
  run?: (job: ProofJob, signal?: AbortSignal) => Promise<ProofFacts>,
): Promise<Findings> {
  const { LEAST_ROUNDS, modelParts, proveApart, thinned } = await import('@winnow/onnx');
  const { opened, precision, folder, threads, timing, pictures, signal } = claim;
  const parts = modelParts(opened.model);
  const examples = new Map(
    parts.map((part) => [part.name, comparedExamples(part, precision, pictures.pictures?.get(part.name))]),
  );
  const asked = parts.map((part) => ({
    name: part.name,
    path: join(folder, onnxFile(part.name, precision)),
    fixed: examplesOf(examples, part),
    ...picturesFor(part, pictures),
    isAsked: isAskedPart(part, pictures),
  }));
  const job = { parts: asked, threads, ...(timing === undefined ? {} : { timing }) };
  const facts = await (run ?? proveApart)(job, signal);
  const expectation = await expectationOf(claim, parts, examples);
  const answers = new Map<string, Answers>();
  const merging: MergesOfFile[] = [];
  for (const part of parts) {
    const found = facts.parts.find(({ name }) => name === part.name);
    const merges = found === undefined ? undefined : mergesOfFile(found, precision);
    if (merges !== undefined) merging.push(merges);
    const given = examplesOf(examples, part);
    const hooks = { signal, ...(merges === undefined ? {} : { merge: merges.merge }) };
    answers.set(part.name, thinned(await engineAnswers(opened, part, given, hooks), given.count));
  }
  const { check: counted, counts } = checkCounts(facts.parts, expectation);
  const seen = await agreementOf(opened, pictures, facts.parts, { precision, signal });
  const timed = checkLatency(
    facts.times,
    timing === undefined ? undefined : { ...timing, parts: parts.map(({ name }) => name) },
    timing?.seconds === undefined ? timing?.rounds : Math.min(timing.rounds, LEAST_ROUNDS),
  );
  const beside = await readBytesIfThere(join(folder, PREPROCESSOR_FILE), { mostBytes: MOST_BYTES });
  return {
    checks: withoutThose(claim.leftOut, [
      checkParts(facts.parts, parts),
      checkLabels(
        facts.parts,
        expectation,
        beside === undefined ? undefined : Buffer.from(beside).toString(),
      ),
      checkDecision(expectation),
      checkWeights(facts.parts, expectation),
      checkWidths(facts.parts, expectation),
      counted,
      checkOutputs(
        facts.parts,
        answers,
        precision,
        merging.map((own) => own.told()),
      ),
      checkBatch(facts.parts, precision),
      seen.check,
      timed.check,
    ]),
    counts,
    timings: timed.timings,
    agreement: seen.agreement,
    facts,
    fixed: Object.fromEntries(
      parts.map((part) => [
        part.name,
        {
          examplesSha256: digestOfExamples(examplesOf(examples, part)),
          answersSha256: digestOfNumbers(Object.values(answers.get(part.name) ?? {})),
        },
      ]),
    ),
  };
}

/** Checks of which some say why they were left out. */
const withoutThose = (leftOut: Claim['leftOut'] = {}, checks: readonly Check[]): Check[] =>
  checks.map((check) => {
    const why = leftOut[check.name];
    return why === undefined ? check : { name: check.name, verdict: 'left out', says: [why] };
  });

function examplesOf(all: ReadonlyMap<string, Examples>, { name }: ModelPart): Examples {
  const own = all.get(name);
  if (own === undefined) throw new RangeError(`there are no examples for ${name}`);
  return own;
}

async function expectationOf(
  { opened, companions, precision }: Claim,
  parts: readonly ModelPart[],
  examples: ReadonlyMap<string, Examples>,
): Promise<Expectation> {
  const seen = new Map<string, ExpectedPart>();
  for (const part of parts) seen.set(part.name, await engineShapes(opened, part, examplesOf(examples, part)));
  const exact = new Set(parts.flatMap((part) => part.exact ?? []));
  const products = [...seen.values()].flatMap((own) => [...own.products.keys()]);
  const maps = new Set(products.filter((name) => !exact.has(name)));
  const config = denseConfigOf(opened.model);
  const preparation = companions[PREPROCESSOR_FILE];
  const { sites } = runningOf(opened.model).model;
  return {
    precision,
    decision: opened.decision,
    isShared: config.ties !== undefined || blipFamily.is(config),
    parts: seen,
    tensors: await expectedTensors(opened, precision, maps),
    norms: normWidths(opened.model),
    model: { account: opened.model.account, sites },
    units: new Map(sites.map(({ id, units }) => [id, units])),
    metadata: await metadataOf(opened, precision),
    preparation: typeof preparation === 'string' ? preparation : undefined,
  };
}

/** A file for each part, which takes and gives what it should. */
function checkParts(found: readonly PartFacts[], parts: readonly ModelPart[]): Check {
  const wrong = parts.flatMap(({ name, inputs }) => {
    const own = found.find((part) => part.name === name);
    const shown = (
      ports: readonly { readonly name: string; readonly type: string; readonly shape: readonly unknown[] }[],
    ) => ports.map((port) => `${port.name} ${port.type} [${port.shape.join(', ')}]`).join('; ');
    if (own === undefined) return [`${name}: there is no file`];
    if (shown(own.inputs) === shown(inputs)) return [];
    return [`${name} takes ${shown(own.inputs)}, not ${shown(inputs)}`];
  });
  if (wrong.length > 0) return { name: 'files', verdict: 'fails', says: wrong };
  return {
    name: 'files',
    verdict: 'holds',
    says: found.map(
      ({ name, opset, bytes }) => `${name}: ${bytes} bytes, opset ${opset}, run by ONNX Runtime`,
    ),
  };
}

/** The pictures that a file is asked about: what others give it, it has to get from their files. */
function picturesFor({ name, inputs }: ModelPart, { pictures }: RealPictures) {
  const own = pictures?.get(name);
  if (own === undefined) return {};
  const kept = Object.entries(own.inputs).filter(([input]) => isOfData(input));
  const taken = inputs.flatMap((port): [string, number[]][] =>
    isOfData(port.name) ? [] : [[port.name, port.shape.slice(1).map(Number)]],
  );
  return {
    pictures: { count: own.count, inputs: Object.fromEntries(kept) },
    taken: Object.fromEntries(taken),
  };
}
