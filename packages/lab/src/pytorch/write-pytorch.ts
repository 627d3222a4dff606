import { join } from 'node:path';
import {
  type HostTensor,
  type TensorTree,
  clipTextFamily,
  denseConfigOf,
  downloadTensor,
  dualEncoderFamily,
  entriesOf,
  familyOf,
  lendRunning,
  runningOf,
  visionTransformerFamily,
} from '@winnow/core';
import { type Companions, modelPy, programPy, streamSafetensors, writeAtomically } from '@winnow/formats';
import type { OpenedModel } from '../model-source/open-model';
import { type HeldConstants, operatorPrograms } from './operator-programs';

/** Families that a program has layers for. */
const spoken = [visionTransformerFamily, clipTextFamily, dualEncoderFamily];

/**
 * Writes `model.safetensors` and `model.py`, which makes the model in plain PyTorch: of a picture or text tower and of a dual encoder in layers,
 * with each parameter whole; of other families, and of tokens that merge, as the operators of their ONNX files, with parameters as they are stored.
 * @throws {UserError} for a model that cannot be said in operators.
 */
export async function writePyTorch(
  folder: string,
  opened: OpenedModel,
  companions: Companions,
): Promise<readonly string[]> {
  const { model, params } = opened;
  const config = denseConfigOf(runningOf(model).model);
  const family = familyOf(config);
  const summary = family.summary(config);
  const isInLayers =
    spoken.some((own) => own.is(config)) && family.towers(config).vision?.merging === undefined;
  const weights = join(folder, 'model.safetensors');
  let program: string;
  if (isInLayers) {
    await lendRunning(model, params, (_, running) => writeTensors(weights, running, new Map()));
    program = modelPy(summary, config);
  } else {
    const { modelParts } = await import('@winnow/onnx');
    const { programs, held } = await operatorPrograms(modelParts(model));
    await writeTensors(weights, params, held);
    program = programPy(summary, programs);
  }
  for (const [name, content] of Object.entries(companions))
    await writeAtomically(join(folder, name), content);
  await writeAtomically(join(folder, 'model.py'), program);
  return ['model.py', 'model.safetensors'];
}

/** Parameters by their paths, and constants. */
async function writeTensors(file: string, params: TensorTree, held: HeldConstants): Promise<void> {
  const leaves = new Map(entriesOf(params));
  const described = [...leaves, ...held].map(
    ([path, { shape }]) => [path, { dtype: 'float32', shape }] as const,
  );
  const read = async (path: string): Promise<HostTensor> => {
    const constant = held.get(path);
    if (constant !== undefined) return { dtype: 'float32', ...constant };
    const leaf = leaves.get(path);
    if (leaf === undefined) throw new RangeError(`expected a parameter ${path}, got none`);
    return downloadTensor(leaf, path);
  };
  await writeAtomically(file, streamSafetensors(new Map(described), read, { format: 'pt' }));
}
