import { pathOfUse } from '@winnow/core';
import type { PartFacts } from '@winnow/onnx';
import { type Check, checked } from './check';
import { BESIDE_FILES, type Expectation, type ExpectedPart, numberBytes } from './expectation';

/** Numbers counted from the files, beside those of the report. */
export interface Counts {
  readonly parameters: { readonly report: number; readonly files: number };
  /** For one example; `unread` of those in the report are of tokens whose answers nobody reads, which the files leave out. */
  readonly macs: { readonly report: number; readonly files: number; readonly unread: number };
  readonly bytes: { readonly parameters: number; readonly files: number };
}

/** Multiply–accumulates of a layer norm, for each entry: as the account has it. */
const PER_NORM_ENTRY = 5;
/** Nodes, names and constants of a file; masks of attention grow with the tokens. */
const MOST_BESIDE = 2 ** 18;
/** Products that find and merge like tokens. */
const ofMerging = /\.merge\.(?:keys|alike|counts|sums)$/;
/** Products of a value that stands between four others. */
const PER_RESIZED = 4;

const productOf = (numbers: readonly number[]): number =>
  numbers.reduce((product, number) => product * number, 1);

/** Counts parameters, multiply–accumulates and bytes from the files, and holds them against the account. */
export function checkCounts(
  parts: readonly PartFacts[],
  expectation: Expectation,
): { readonly check: Check; readonly counts: Counts } {
  const { model, tensors } = expectation;
  const { account } = model;
  const held = parts.flatMap((part) => part.tensors);
  const named = held.filter(({ name }) => tensors.has(name));
  // Columns that two towers share stand in the files of both, and are the model's once.
  const own = [...new Map(named.map((tensor) => [tensor.name, tensor])).values()];
  const masked = [...tensors.values()].reduce((sum, tensor) => sum + tensor.masked, 0);
  const beside = account.lines.reduce(
    (sum, { part, parameters }) => (BESIDE_FILES.includes(part) ? sum + parameters : sum),
    0,
  );
  const parameters = own.reduce((sum, { shape }) => sum + productOf(shape), 0) - masked;
  const parameterBytes = own.reduce((sum, { bytes }) => sum + bytes, 0);
  const fileBytes = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const repeatedBytes = named.reduce((sum, { bytes }) => sum + bytes, 0) - parameterBytes;
  const constants = held.reduce((sum, { bytes }) => sum + bytes, 0) - parameterBytes - repeatedBytes;
  const { wrong, files, unread, merging } = macsOf(parts, expectation);
  const expectedBytes = [...tensors.values()].reduce(
    (sum, { type, shape }) => sum + numberBytes[type] * productOf(shape),
    0,
  );
  if (parameters !== account.parameters - beside)
    wrong.push(`the files hold ${parameters} parameters, the report says ${account.parameters - beside}`);
  if (parameterBytes !== expectedBytes)
    wrong.push(`the parameters take ${parameterBytes} bytes, not ${expectedBytes}`);
  const beyond = fileBytes - constants - parameterBytes - repeatedBytes;
  if (beyond > MOST_BESIDE + parts.length * 2 ** 16)
    wrong.push(`the files have ${beyond} bytes beside their numbers`);
  if (files + unread !== account.macs)
    wrong.push(
      `the files compute ${files} multiply–accumulates, and ${unread} are unread: the report says ${account.macs}`,
    );
  const counts: Counts = {
    parameters: { report: account.parameters, files: parameters },
    macs: { report: account.macs, files, unread },
    bytes: { parameters: parameterBytes, files: fileBytes },
  };
  const note =
    unread === 0
      ? ''
      : `; ${unread} of the report's are of tokens that nobody reads behind the last attention, or of answers that only help to learn, which the files leave out`;
  return {
    check: checked('counts', wrong, [
      `${parameters} parameters, as the report says${beside === 0 ? '' : `, without the ${beside} of the logits`}`,
      `${files} multiply–accumulates for one example${note}${merging === 0 ? '' : `; and ${merging} more to find and merge like tokens, which the report leaves out as published counters do`}`,
      `${fileBytes} bytes, ${parameterBytes} of them of parameters${repeatedBytes === 0 ? '' : `, and ${repeatedBytes} of those that several files need, which stand in each of them`}`,
    ]),
    counts,
  };
}

/** Part by part: the same as in the account, or less where fewer tokens are read; never for other widths. */
function macsOf(parts: readonly PartFacts[], { model, parts: expected }: Expectation) {
  const wrong: string[] = [];
  const found = new Map<string, number>();
  const count = (name: string, macs: number): void => {
    const path = pathOfUse(name);
    found.set(path, (found.get(path) ?? 0) + macs);
  };
  for (const { name: part, products, norms, resizes } of parts) {
    const { times = 1 } = expected.get(part) ?? {};
    for (const { name, left, result } of products)
      count(name, times * productOf(result) * (left.at(-1) ?? 0));
    for (const { weight, shape } of norms) count(weight, times * PER_NORM_ENTRY * productOf(shape));
    for (const { name, result } of resizes) count(name, times * PER_RESIZED * productOf(result));
  }
  let [files, unread] = [0, 0];
  for (const { part, macs } of model.account.lines) {
    const own = [...found].filter(([path]) => isWithin(path, part));
    const made = own.reduce((sum, [, each]) => sum + each, 0);
    for (const [path] of own) found.delete(path);
    files += made;
    unread += macs - made;
    const engine = engineMacs(part, [...expected.values()]);
    if (made > macs) wrong.push(`${part} computes ${made} multiply–accumulates, the report says ${macs}`);
    if (engine !== undefined && engine !== made)
      wrong.push(`${part} computes ${made} multiply–accumulates, the engine ${engine}`);
  }
  let merging = 0;
  for (const [path, macs] of found) {
    // Their widths are compared with the engine's, as those of all products.
    if (ofMerging.test(path) && [...expected.values()].some(({ products }) => products.has(path)))
      merging += macs;
    else wrong.push(`${path} computes ${macs} multiply–accumulates that the report does not know`);
  }
  return { wrong, files, unread, merging };
}

/** Whether a map stands in a part of the account, or is one that has its matrix for itself there. */
function isWithin(name: string, part: string): boolean {
  const path = pathOfUse(name);
  return path === part || path.startsWith(`${part}.`) || `${path}.weight` === part;
}

/** The engine's work in a part of the account, as it was seen; undefined for one that it was not watched in. */
function engineMacs(part: string, files: readonly ExpectedPart[]): number | undefined {
  const seen = files.flatMap(({ times, products, attentions, resizes }) => [
    ...[...products].flatMap(([path, { rows, inner, columns }]) =>
      isWithin(path, part) ? [times * rows * inner * columns] : [],
    ),
    ...[...attentions].flatMap(([path, { heads, tokens, context, queryKeyDim, headDim }]) =>
      pathOfUse(path) === part ? [times * heads * tokens * context * (queryKeyDim + headDim)] : [],
    ),
    ...[...resizes].flatMap(([path, [rows, columns]]) =>
      isWithin(path, part) ? [times * PER_RESIZED * rows * columns] : [],
    ),
  ]);
  return seen.length === 0 ? undefined : seen.reduce((sum, macs) => sum + macs, 0);
}
