import { resultOf } from '@winnow/core';
import type { Calibrated, Examples, ModelPart } from '@winnow/onnx';
import type { OpenedModel } from '../model-source/open-model';
import { engineAnswers } from '../proof/engine-answers';
import { matrixShapes } from '../proof/expectation';

/** Numbers of a tap that its range is chosen by, at most. */
const SAMPLE = 2 ** 15;
/** Rows that are looked at each time that the tap is passed. */
const AT_A_TIME = 2 ** 12;

interface Seen {
  low: number;
  high: number;
  rows: number;
  readonly sums: Float64Array;
  readonly sample: number[];
}

/**
 * Observes the inputs of every linear map of a part as examples pass the engine: a range for whole numbers, and means of columns.
 * @returns by the paths of the maps.
 */
export async function calibrate(
  opened: Pick<OpenedModel, 'model' | 'params'>,
  part: ModelPart,
  examples: Examples,
): Promise<ReadonlyMap<string, Calibrated>> {
  const { bestRange } = await import('@winnow/onnx');
  const shapes = matrixShapes(opened.model);
  const seen = new Map<string, Seen>();
  await engineAnswers(opened, part, examples, {
    observe: (path, tensor) => {
      if (!shapes.has(path) || part.exact?.includes(path) === true || path.endsWith(resultOf(''))) return;
      const columns = tensor.shape[1];
      const own = seen.get(path) ?? { low: 0, high: 0, rows: 0, sums: new Float64Array(columns), sample: [] };
      seen.set(path, own);
      watch(own, tensor.dataSync(), columns);
    },
  });
  return new Map(
    [...seen].map(([path, { low, high, rows, sums, sample }]) => [
      path,
      { range: bestRange(sample, low, high), means: sums.map((sum) => sum / rows) },
    ]),
  );
}

function watch(own: Seen, values: ArrayLike<number>, columns: number): void {
  const stride = Math.max(1, Math.floor(values.length / AT_A_TIME)) | 1;
  own.rows += values.length / columns;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    own.low = Math.min(own.low, value);
    own.high = Math.max(own.high, value);
    own.sums[at % columns] = (own.sums[at % columns] ?? 0) + value;
    if (at % stride === 0 && own.sample.length < SAMPLE) own.sample.push(value);
  }
}
