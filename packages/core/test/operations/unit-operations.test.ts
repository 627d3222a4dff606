import { type Tensor, type Tensor1D, concat, memory, reshape, tensor, tensor1d } from '@tensorflow/tfjs-core';
import {
  type SharedParameter,
  type UnitPenalty,
  penalizeUnits,
  randomStream,
  shareUnits,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { type Input, deviations, randomInput } from './gradient-check';

const random = randomStream(1, 'unit operations');
const flat = (tensors: readonly Tensor[]): Tensor =>
  concat(
    tensors.map((each) => reshape(each, [-1])),
    0,
  );
const at = <Value>(list: readonly Value[], index: number): Value => {
  const found = list[index];
  if (found === undefined) throw new RangeError(`nothing at ${index}`);
  return found;
};

/** Which unit number `entry` of a parameter belongs to. */
const unitOf = ([rows = 1, columns = 1]: readonly number[], axis: 0 | 1, entry: number): number =>
  axis === 1 ? entry % columns : Math.floor(entry / (rows === 0 ? 1 : columns));

type Parts = Omit<SharedParameter, 'parameter'> & {
  readonly shape: readonly [number] | readonly [number, number];
};

/** Two chains of lenders, one of them with lenders that are scaled, along either axis; and one that is left alone. */
const shared: readonly Parts[] = [
  { shape: [3, 4], axis: 1, scaleFrom: 8 },
  { shape: [3, 4], axis: 1, lender: 0, shareFrom: 0, scaleFrom: 12 },
  { shape: [3, 4], axis: 1, lender: 1, shareFrom: 4, scaleFrom: 8 },
  { shape: [4], axis: 0 },
  { shape: [4], axis: 0, lender: 3, shareFrom: 4, scaleFrom: 12 },
  { shape: [4, 5], axis: 0 },
  { shape: [4, 5], axis: 0, lender: 5, shareFrom: 0 },
  { shape: [4, 5], axis: 0, lender: 5, shareFrom: 4, scaleFrom: 8 },
];
const ENTRIES = 17; // one that nobody reads

function plainShared(parameters: readonly Input[]) {
  return (vector: readonly number[]): number[] => {
    const blended = (index: number, entry: number): number => {
      const { shape, axis, lender, shareFrom } = at(shared, index);
      const own = at(at(parameters, index).values, entry);
      if (lender === undefined || shareFrom === undefined) return own;
      const share = at(vector, shareFrom + unitOf(shape, axis, entry));
      return own * share + blended(lender, entry) * (1 - share);
    };
    return shared.flatMap(({ shape, axis, scaleFrom }, index) =>
      at(parameters, index).values.map((_, entry) => {
        const scale = scaleFrom === undefined ? 1 : at(vector, scaleFrom + unitOf(shape, axis, entry));
        return blended(index, entry) * scale;
      }),
    );
  };
}

describeOnEveryEngine('operations on units', () => {
  it('shareUnits blends along chains of lenders and scales in the end', () => {
    const before = memory().numTensors;
    const parameters = shared.map(({ shape }) => randomInput(random, ...shape));
    const { forward, gradient } = deviations(
      (vector) =>
        flat(
          shareUnits(
            shared.map((each, index) => {
              const { values, shape } = at(parameters, index);
              return { ...each, parameter: tensor([...values], [...shape]) };
            }),
            vector as Tensor1D,
          ),
        ),
      plainShared(parameters),
      [randomInput(random, ENTRIES)],
      randomStream(2, 'weights'),
    );
    expect(forward).toBeLessThan(2e-6);
    expect(gradient).toBeLessThan(1e-5);
    expect(memory().numTensors).toBe(before);
  });

  it('shareUnits gives a whole unit as it is', () => {
    const [own, lent] = [tensor1d([0.1, 0.7]), tensor1d([1e9, -0.3])];
    const [, found] = shareUnits(
      [
        { parameter: lent, axis: 0 },
        { parameter: own, axis: 0, lender: 0, shareFrom: 0 },
      ],
      tensor1d([1, 0]),
    );
    expect([...(found?.dataSync() ?? [])]).toEqual([...Float32Array.of(0.1, -0.3)]);
  });

  it('penalizeUnits adds weighted distances and norms, and gradients of both uses of a parameter', () => {
    const shapes = [[3, 4], [3, 4], [4], [4, 5], [4, 5]] as const;
    const axes = [1, 1, 0, 0, 0] as const;
    const weights = [0.5, 0, 1, 2, 1, 0, 0.25, 3, 0, 0, 1, 1];
    const terms: Pick<UnitPenalty, 'distances' | 'norms'> = {
      distances: [
        { own: 0, lent: 1, from: 0 },
        { own: 3, lent: 4, from: 4 },
      ],
      norms: [
        { parts: [1, 2], from: 2 },
        { parts: [3], from: 8 },
      ],
    };
    const epsilon = 1e-3;
    const plain = (...values: (readonly number[])[]): number[] => {
      const unit = (index: number, entry: number) => unitOf(at(shapes, index), at(axes, index), entry);
      const distances = terms.distances.map(({ own, lent, from }) =>
        at(values, own).reduce(
          (sum, value, i) =>
            sum + at(weights, from + unit(own, i)) * Math.abs(value - at(at(values, lent), i)),
          0,
        ),
      );
      const norms = terms.norms.map(({ parts, from }) => {
        const squares = [epsilon, epsilon, epsilon, epsilon];
        for (const part of parts)
          at(values, part).forEach((value, i) => {
            squares[unit(part, i)] = at(squares, unit(part, i)) + value * value;
          });
        return squares.reduce((sum, square, j) => sum + at(weights, from + j) * Math.sqrt(square), 0);
      });
      return [[...distances, ...norms].reduce((a, b) => a + b, 0), ...values.flat()];
    };
    const before = memory().numTensors;
    const { forward, gradient } = deviations(
      (...tensors) => {
        const { penalty, parameters } = penalizeUnits({
          parameters: tensors.map((parameter, index) => ({ parameter, axis: at(axes, index) })),
          weights: tensor1d(weights),
          ...terms,
          epsilon,
        });
        return flat([penalty, ...parameters]);
      },
      plain,
      shapes.map((shape) => randomInput(random, ...shape)),
      randomStream(2, 'weights'),
    );
    expect(forward).toBeLessThan(2e-6);
    expect(gradient).toBeLessThan(2e-5);
    expect(memory().numTensors).toBe(before);
  });

  it('penalizeUnits has nothing to say without terms', () => {
    const parameter = tensor1d([1, 2]);
    const { penalty, parameters } = penalizeUnits({
      parameters: [{ parameter, axis: 0 }],
      weights: tensor1d([1, 1]),
      distances: [],
      norms: [],
      epsilon: 0,
    });
    expect(penalty.dataSync()[0]).toBe(0);
    expect(parameters).toEqual([parameter]);
  });
});
