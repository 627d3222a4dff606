import { type Tensor, type Tensor1D, mul, reshape, sum } from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

/** Where the units run in a parameter: along this axis, this many times over (once per head, say). */
export interface UnitAxis {
  readonly axis: 0 | 1;
  readonly copies: number;
}

/**
 * Multiplies what runs through unit j of a parameter by scale[j]: parameter [copies·units] or [·, copies·units] (axis 1)
 * or [copies·units, ·] (axis 0), scale [units] → the parameter's shape.
 */
export function scaleUnits(parameter: Tensor, scale: Tensor1D, along: UnitAxis): Tensor {
  const units = scale.shape[0];
  const shape = parameter.shape;
  const alongRows = parameter.rank === 2 && along.axis === 0;
  const width = alongRows ? (shape[1] ?? 1) : 1;
  const outer = parameter.rank === 2 && !alongRows ? (shape[0] ?? 1) : 1;
  const broken = [outer * along.copies, units, width];
  const attributes = { units, width };
  return differentiable(
    [parameter, scale],
    () => {
      const [value] = runFused<[Tensor]>('WinnowScaleUnits', { parameter, scale }, attributes, () => [
        reshape(mul(reshape(parameter, broken), reshape(scale, [1, units, 1])), shape),
      ]);
      return { value, saved: [parameter, scale] };
    },
    (dy, [parameter, scale]) => {
      if (parameter === undefined || scale === undefined) throw new Error('scaleUnits: nothing was saved');
      return runFused('WinnowScaleUnitsGradient', { dy, parameter, scale }, attributes, () => {
        const gradient = reshape(dy, broken);
        return [
          reshape(mul(gradient, reshape(scale, [1, units, 1])), shape),
          sum(mul(gradient, reshape(parameter, broken)), [0, 2]),
        ];
      });
    },
  );
}
