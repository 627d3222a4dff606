import { type Tensor, type Tensor1D, mul, reshape, sum } from '@tensorflow/tfjs-core';
import { differentiable, hasKernel } from './kernel';
import { runListKernel } from './list-kernel';

/** A parameter, the scale of the units that run through it, and where they run. */
export interface ScaledParameter {
  readonly parameter: Tensor;
  /** [units] */
  readonly scale: Tensor1D;
  /** The units' axis, along which they come this many times over (once per head, say). */
  readonly along: { readonly axis: 0 | 1; readonly copies: number };
}

/**
 * Multiplies what runs through unit j of each parameter by scale[j]: parameters [copies·units·run] or [·, copies·units·run]
 * (axis 1) or [copies·units·run, ·] (axis 0), scales [units] → tensors of the parameters' shapes.
 */
export function scaleUnits(scaled: readonly ScaledParameter[]): Tensor[] {
  return hasKernel(KERNEL) ? together(scaled) : scaled.map(alone);
}

/** The numbers of a parameter that lie side by side for each unit: those of its entries, and of rows all columns. */
function widthOf({ parameter: { rank, shape }, scale, along: { axis, copies } }: ScaledParameter): number {
  const run = (shape[rank === 1 ? 0 : axis] ?? 1) / (copies * scale.size);
  return rank === 2 && axis === 0 ? run * (shape[1] ?? 1) : run;
}

function alone(scaled: ScaledParameter): Tensor {
  const { parameter, scale } = scaled;
  const [units, width] = [scale.shape[0], widthOf(scaled)];
  const broken = [parameter.size / (units * width), units, width]; // [rows · copies, units, width]
  const { shape } = parameter;
  return differentiable(
    [parameter, scale],
    () => ({
      value: reshape(mul(reshape(parameter, broken), reshape(scale, [1, units, 1])), shape),
      saved: [parameter, scale],
    }),
    (dy, [parameter, scale]) => {
      if (parameter === undefined || scale === undefined) throw new Error('scaleUnits: nothing was saved');
      const gradient = reshape(dy, broken);
      return [
        reshape(mul(gradient, reshape(scale, [1, units, 1])), shape),
        sum(mul(gradient, reshape(parameter, broken)), [0, 2]),
      ];
    },
  );
}

const KERNEL = 'WinnowScaleUnits';

/**
 * One call of the engine for all parameters, and one for all gradients. The kernel takes a list, the parameters and then
 * their different scales; `scales` names the scale of each parameter, `widths` how many numbers a unit has side by side.
 */
function together(scaled: readonly ScaledParameter[]): Tensor[] {
  const scales = [...new Set(scaled.map(({ scale }) => scale))];
  const inputs = [...scaled.map(({ parameter }) => parameter), ...scales];
  return runListKernel(KERNEL, inputs, {
    scales: scaled.map(({ scale }) => scales.indexOf(scale)),
    widths: scaled.map(widthOf),
  });
}
