import { join } from 'node:path';
import {
  type ModelConfig,
  type ParameterSpec,
  type TensorTree,
  type Tree,
  downloadTree,
  entriesOf,
  mismatches,
} from '@winnow/core';
import { correspondences, toTheirs } from '../checkpoint/correspondence';
import type { Naming } from '../checkpoint/naming';
import { makeFolder, writeAtomically } from '../file/write-atomically';
import { writeSafetensors } from '../safetensors/safetensors';
import { toClipConfig, toClipTextConfig } from './clip-config';
import { clipNaming, clipTextNaming } from './clip-naming';
import { toHuggingFaceConfig } from './vision-transformer-config';
import { huggingFaceNaming } from './vision-transformer-naming';

/**
 * Writes `model.safetensors` and `config.json` as `transformers` reads them: ViTForImageClassification, or
 * DeiTForImageClassification(WithTeacher) for a distilled model; CLIPTextModelWithProjection; CLIPModel.
 * @throws {RangeError} when the parameters do not fit the model; nothing is written then.
 * @throws {FormatError} when `config.json` cannot say what the model is (layers that differ in size, a dual encoder whose
 * vision tower is not CLIP's), or the files cannot be written.
 */
export async function exportHuggingFace(
  folder: string,
  {
    model,
    params,
  }: {
    readonly model: { readonly config: ModelConfig; readonly specs: Tree<ParameterSpec> };
    readonly params: TensorTree;
  },
): Promise<void> {
  const { json, naming } = writingOf(model.config);
  const tensors = await downloadTree(params);
  const wrong = mismatches(entriesOf(model.specs), tensors);
  if (wrong.length > 0) throw new RangeError(`the tensors do not fit the model:\n  ${wrong.join('\n  ')}`);
  await makeFolder(folder);
  await writeSafetensors(
    join(folder, 'model.safetensors'),
    toTheirs(correspondences(model, naming), tensors),
    {
      format: 'pt', // transformers refuses files that do not say so
    },
  );
  await writeAtomically(join(folder, 'config.json'), `${JSON.stringify(json, undefined, 2)}\n`);
}

/** What their `config.json` says, and their names. */
function writingOf(config: ModelConfig): { readonly json: object; readonly naming: Naming } {
  switch (config.kind) {
    case 'vision-transformer': {
      const json = toHuggingFaceConfig(config);
      const { distillation } = config;
      const names = { prefix: `${json.model_type}.`, style: 'encoder.layer', distillation } as const;
      return { json, naming: huggingFaceNaming(names) };
    }
    case 'clip-text':
      return { json: toClipTextConfig(config), naming: clipTextNaming };
    case 'dual-encoder':
      return { json: toClipConfig(config), naming: clipNaming };
    default:
      return config satisfies never;
  }
}
