import { join } from 'node:path';
import { type TensorTree, type VisionTransformer, downloadTree, entriesOf, mismatches } from '@winnow/core';
import { correspondences, toTheirs } from '../checkpoint/correspondence';
import { makeFolder, writeAtomically } from '../file/write-atomically';
import { writeSafetensors } from '../safetensors/safetensors';
import { toHuggingFaceConfig } from './vision-transformer-config';
import { huggingFaceNaming } from './vision-transformer-naming';

/**
 * Writes `model.safetensors` and `config.json` as `transformers` reads them: ViTForImageClassification, or
 * DeiTForImageClassification(WithTeacher) for a distilled model.
 * @throws {RangeError} when the parameters do not fit the model; nothing is written then.
 * @throws {FormatError} when the layers differ in size, which `config.json` cannot say; or the files cannot be written.
 */
export async function exportHuggingFace(
  folder: string,
  {
    model,
    params,
  }: {
    readonly model: Pick<VisionTransformer, 'config' | 'specs'>;
    readonly params: TensorTree;
  },
): Promise<void> {
  const config = toHuggingFaceConfig(model.config);
  const tensors = await downloadTree(params);
  const wrong = mismatches(entriesOf(model.specs), tensors);
  if (wrong.length > 0) throw new RangeError(`the tensors do not fit the model:\n  ${wrong.join('\n  ')}`);
  const naming = huggingFaceNaming({
    prefix: `${config.model_type}.`,
    style: 'encoder.layer',
    distillation: model.config.distillation,
  });
  await makeFolder(folder);
  await writeSafetensors(
    join(folder, 'model.safetensors'),
    toTheirs(correspondences(model, naming), tensors),
    {
      format: 'pt', // transformers refuses files that do not say so
    },
  );
  await writeAtomically(join(folder, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
}
