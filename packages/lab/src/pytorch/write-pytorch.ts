import { join } from 'node:path';
import {
  UserError,
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
import { type Companions, FormatError, modelPy, streamSafetensors, writeAtomically } from '@winnow/formats';
import type { OpenedModel } from '../model-source/open-model';

const spoken = [visionTransformerFamily, clipTextFamily, dualEncoderFamily];

/** Whether there are ONNX files of a model. */
async function hasOnnxFiles(model: OpenedModel['model']): Promise<boolean> {
  const { modelParts } = await import('@winnow/onnx');
  try {
    return modelParts(model).length > 0;
  } catch (cause) {
    if (cause instanceof UserError) return false;
    throw cause;
  }
}

/**
 * Writes `model.safetensors` with the parameters of the model that runs, each whole, and `model.py`, which makes it in plain PyTorch.
 * @throws {FormatError} for a family that the program has no words for.
 */
export async function writePyTorch(
  folder: string,
  { model, params }: OpenedModel,
  companions: Companions,
): Promise<readonly string[]> {
  const config = denseConfigOf(runningOf(model).model);
  if (!spoken.some((family) => family.is(config)))
    throw new FormatError(
      `there is no loader in plain PyTorch for a ${config.kind}: take --format safetensors${(await hasOnnxFiles(model)) ? ' or onnx' : ''}`,
    );
  if (familyOf(config).towers(config).vision?.merging !== undefined)
    throw new FormatError(
      'the loader in plain PyTorch has no words for tokens that merge on the way: take --format safetensors',
    );
  await lendRunning(model, params, async (_, running) => {
    const leaves = new Map(entriesOf(running));
    const described = new Map(
      [...leaves].map(([path, { shape }]) => [path, { dtype: 'float32', shape }] as const),
    );
    const read = async (path: string) => {
      const leaf = leaves.get(path);
      if (leaf === undefined) throw new RangeError(`expected a parameter ${path}, got none`);
      return downloadTensor(leaf, path);
    };
    await writeAtomically(
      join(folder, 'model.safetensors'),
      streamSafetensors(described, read, { format: 'pt' }),
    );
  });
  for (const [name, content] of Object.entries(companions))
    await writeAtomically(join(folder, name), content);
  await writeAtomically(join(folder, 'model.py'), modelPy(familyOf(config).summary(config), config));
  return ['model.py', 'model.safetensors'];
}
