import { type AccountLine, accountOf } from '../account/account';
import { UserError } from '../error/user-error';
import { weightMasks } from '../mask/apply';
import { type ParameterMasks, checkMasks, keptCount, maskSize } from '../mask/parameter-mask';
import { applied, inTurn } from '../reparametrisation/reparametrisation';
import type { TensorTree } from '../tree/tree';
import { type MaskedConfig, type Model, type Running, isMasked, runningOf } from './model';
import type { Prediction } from './prediction';

/** A model whose parameters are those of `inner`, with zeros where its masks say so. */
export interface Masked<
  Params extends TensorTree = TensorTree,
  Inputs = unknown,
  Output extends Prediction = Prediction,
> extends Model<Params, Inputs, Output> {
  readonly config: MaskedConfig;
  readonly inner: Model<Params, Inputs, Output>;
  readonly running: Running<Params, Inputs, Output>;
}

/**
 * A model with an unstructured mask: its forward pass is that of `inner` on W ⊙ m, so weights that are gone get no
 * gradient, and zeros stay zeros under weight decay and momentum. It stores the weights that are left and computes as
 * much as the dense model: `account` counts the first as parameters and the second as MACs. It has no sites: whole units
 * are cut from the dense model, before.
 * @throws {RangeError} when a mask does not fit its parameter, or `inner` has masks of its own.
 */
export function masked<Params extends TensorTree, Inputs, Output extends Prediction = Prediction>(
  inner: Model<Params, Inputs, Output>,
  masks: ParameterMasks,
): Masked<Params, Inputs, Output> {
  if (isMasked(inner.config)) throw new RangeError('expected a model without masks of its own');
  checkMasks(masks, inner.specs);
  const { model, reparametrisation: within } = runningOf(inner);
  const reparametrisation = inTurn(weightMasks<Params>(masks), within);
  return {
    config: { kind: 'masked', model: inner.config, masks },
    inner,
    specs: inner.specs,
    sites: [],
    account: accountOf(sparseLines(inner.account.lines, masks)),
    readout: { ...inner.readout, projections: [] },
    running: { model, reparametrisation },
    forward: (params, inputs) => model.forward(applied(reparametrisation, params), inputs),
    shrink: () => {
      throw new UserError(
        'a model of which single weights are masked cannot be cut further: start from the dense model that it comes from',
      );
    },
  };
}

/** The lines of the dense model without the parameters that are gone. */
function sparseLines(lines: readonly AccountLine[], masks: ParameterMasks): AccountLine[] {
  const gone = new Map<string, number>();
  for (const [path, mask] of Object.entries(masks)) {
    const found = lines
      .filter(({ part }) => path === part || path.startsWith(`${part}.`))
      .sort((a, b) => b.part.length - a.part.length)[0];
    if (found === undefined) throw new RangeError(`no part of the model accounts for ${path}`);
    gone.set(found.part, (gone.get(found.part) ?? 0) + maskSize(mask) - keptCount(mask));
  }
  return lines.map((line) => ({ ...line, parameters: line.parameters - (gone.get(line.part) ?? 0) }));
}
