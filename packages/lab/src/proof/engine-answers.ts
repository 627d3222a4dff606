import {
  type AnyDenseModel,
  type Hooks,
  InterruptedError,
  type TensorTree,
  denseConfigOf,
  downloadTensor,
  lendRunning,
  randomStream,
  resultOf,
  tidyTree,
  useName,
} from '@winnow/core';
import type { Answers, ExampleInput, Examples, ModelPart } from '@winnow/onnx';
import type { OpenedModel } from '../model-source/open-model';
import type { OnnxPrecision } from '../onnx/precision';
import { attentionsIn } from './expected-attentions';
import { type ExpectedPart, type ExpectedProduct, matrixShapes } from './expectation';

const EXAMPLES = 4;
const SEED = 21;

/**
 * Fixed examples for a part: pictures of noise, texts of random words that end at different places, masks that hide the ends of some, picture by picture, regions that are hidden, and counts; from a seed of their own. They are in the layout of the files.
 */
export function fixedExamples({ name: part, inputs, texts }: ModelPart): Examples {
  const { endToken = 0, vocabulary = 1 } = texts ?? {};
  const end = typeof endToken === 'number' ? endToken : vocabulary - 1;
  const inputOf = ({ name, type, shape: [, ...extents] }: ModelPart['inputs'][number]): ExampleInput => {
    const shape = extents.map(Number);
    const size = shape.reduce((product, extent) => product * extent, 1);
    const random = randomStream(SEED, 'proof', part, name);
    const width = shape.at(-1) ?? 1;
    /** Where the row of a place ends: each example's, of two pictures each picture's, somewhere else. */
    const endsAt = (at: number): number => Math.max(1, width - 1 - Math.floor(at / width));
    if (type !== 'int64')
      return {
        shape,
        values: Float32Array.from({ length: EXAMPLES * size }, (_, at) =>
          name.endsWith('_mask')
            ? Number(at % width < endsAt(at))
            : name.endsWith('_hidden')
              ? Number(random.integer(3) === 0)
              : name.endsWith('_counts')
                ? 1 + random.integer(3)
                : random.normal(),
        ),
      };
    const values = BigInt64Array.from({ length: EXAMPLES * size }, (_, at) => {
      const word = random.integer(vocabulary);
      return BigInt(at % width >= endsAt(at) ? end : word === end ? (word + 1) % vocabulary : word);
    });
    return { shape, values };
  };
  return { count: EXAMPLES, inputs: Object.fromEntries(inputs.map((port) => [port.name, inputOf(port)])) };
}

/**
 * The examples that a file is asked about for certain: the fixed ones. Whole numbers have ranges that real examples chose, and noise in the place
 * of regions or of what another file gives lies beyond them: there the first real ones are asked about, if there are some.
 */
export function comparedExamples(
  part: ModelPart,
  precision: OnnxPrecision,
  real: Examples | undefined,
): Examples {
  const isNoise = part.inputs.every(({ name }) => name === 'pixel_values' || name === 'input_ids');
  return precision !== 'int8' || isNoise || real === undefined
    ? fixedExamples(part)
    : firstOf(real, EXAMPLES);
}

/**
 * The engine's answers to examples that are laid out as for the files, so many at a time, by the names of the part's outputs.
 * @throws {InterruptedError} when the signal says so.
 */
export async function engineAnswers(
  { model, params }: Pick<OpenedModel, 'model' | 'params'>,
  part: ModelPart,
  examples: Examples,
  { signal, ...hooks }: Pick<Hooks, 'observe' | 'merge'> & { readonly signal?: AbortSignal | undefined } = {},
): Promise<Answers> {
  const { engineInputs } = await import('@winnow/onnx');
  return lendRunning<TensorTree, unknown, Answers>(model, params, async (running, own) => {
    const any: AnyDenseModel = { kind: denseConfigOf(running).kind, model: running, params: own };
    const found = new Map<string, Float32Array[]>();
    for (let start = 0; start < examples.count; start += BATCH) {
      if (signal?.aborted === true) throw new InterruptedError();
      const end = Math.min(examples.count, start + BATCH);
      const answer = tidyTree(() => part.answer(any, engineInputs(examples, start, end), hooks));
      for (const [name, tensor] of Object.entries(answer)) {
        const { values } = await downloadTensor(tensor, name);
        found.set(name, [...(found.get(name) ?? []), Float32Array.from(values)]);
        tensor.dispose();
      }
    }
    return Object.fromEntries([...found].map(([name, batches]) => [name, joined(batches)]));
  });
}

function joined(batches: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(batches.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const own of batches) {
    all.set(own, at);
    at += own.length;
  }
  return all;
}

const BATCH = 16;
/** A tensor of the engine. */
type Tensor = Parameters<typeof downloadTensor>[0];

/**
 * The engine's work for one example, use by use: rows of every product, what attentions look at, and grids that are resized. It is seen at the
 * taps of linear maps, and of parts of the account without a matrix of their own.
 */
export async function engineShapes(
  opened: Pick<OpenedModel, 'model' | 'params'>,
  part: ModelPart,
  examples: Examples,
): Promise<ExpectedPart> {
  const shapes = matrixShapes(opened.model);
  const lines = new Set(opened.model.account.lines.map((line) => line.part));
  const products = new Map<string, ExpectedProduct>();
  const resizes = new Map<string, readonly [rows: number, columns: number]>();
  const taken = new Map<string, Tensor['shape']>();
  const uses = new Map<string, number>();
  const named = (path: string): string => {
    const use = uses.get(path) ?? 0;
    uses.set(path, use + 1);
    return useName(path, use);
  };
  const observe = (path: string, values: Tensor) => {
    const [rows = 0, width = 0] = values.shape;
    const shape = shapes.get(path);
    if (shape !== undefined) {
      products.set(named(path), { rows, inner: shape[0], columns: shape[1] });
      return;
    }
    if (lines.has(path)) taken.set(path, values.shape);
    const [tap = ''] = path.split(resultOf(''));
    const from = path.endsWith(resultOf('')) ? taken.get(tap) : undefined;
    if (from === undefined) return;
    // A product has a row for each row that it is given; a grid that is resized has others.
    if (from[0] === rows) products.set(named(tap), { rows, inner: from[1] ?? 0, columns: width });
    else resizes.set(tap, [rows, width]);
  };
  const merged = new Map<string, Tensor['shape']>();
  await engineAnswers(opened, part, firstOf(examples), {
    observe: (path, values) => {
      if (path.endsWith(MERGED)) merged.set(path.slice(0, -MERGED.length), values.shape);
      observe(path, values);
    },
  });
  const attentions = attentionsIn(opened.model, products);
  for (const [place, [tokens = 0, width = 0]] of merged) {
    const looking = attentions.get(`${place}.attention`);
    const left = products.get(`${place}.ffn.expand`)?.rows;
    if (looking === undefined || left === undefined) continue;
    const { queryKeyDim } = looking;
    const [first, second] = [Math.ceil(tokens / 2), Math.floor(tokens / 2)];
    const ofMerging = {
      keys: { rows: tokens, inner: width, columns: queryKeyDim },
      alike: { rows: first, inner: queryKeyDim, columns: second },
      counts: { rows: left, inner: first, columns: 1 },
      sums: { rows: left, inner: first, columns: width },
    };
    for (const [name, product] of Object.entries(ofMerging)) products.set(`${place}.merge.${name}`, product);
  }
  return { times: part.times, products, resizes, attentions };
}

/** The tap of a block whose like tokens merge. */
const MERGED = '.merge.keys';

/** The first examples, one unless it says otherwise; all where there are fewer. */
function firstOf({ count, inputs }: Examples, wanted = 1): Examples {
  const most = Math.min(count, wanted);
  const own = Object.entries(inputs).map(([name, { shape, values }]) => {
    const size = shape.reduce((product, extent) => product * extent, most);
    return [name, { shape, values: values.subarray(0, size) }] as const;
  });
  return { count: most, inputs: Object.fromEntries(own) };
}
