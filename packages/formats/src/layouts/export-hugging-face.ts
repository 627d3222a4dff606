import { join } from 'node:path';
import {
  type DenseConfig,
  type HostTensor,
  type ModelConfig,
  type ParameterSpec,
  type TensorTree,
  type Tree,
  denseConfigOf,
  entriesOf,
  familyOf,
  mismatches,
  modelOf,
} from '@winnow/core';
import { type Companions, writeCompanions } from '../file/companions';
import { FormatError } from '../file/format-error';
import {
  type StreamedContent,
  clearTemporaryFiles,
  makeFolder,
  writeAtomically,
} from '../file/write-atomically';
import { leafReader } from '../safetensors/leaf-reader';
import { streamSafetensors } from '../safetensors/safetensors';
import { checkClassNames } from '../structure/class-names';
import { type Correspondence, correspondences, theirsOfParts } from './correspondence';
import { foldingLayerScale } from './fold-layer-scale';
import type { Writing } from './layout';
import { layouts } from './table';
import { withWholeLayers } from './whole-layers';

/**
 * Writes `model.safetensors` and `config.json` as `transformers` reads them: ViTForImageClassification, or
 * DeiTForImageClassification(WithTeacher) for a distilled model; DINOv2's; CLIPTextModelWithProjection; CLIPModel;
 * SiglipModel and SiglipForImageClassification; BLIP for captions, questions and retrieval. A model with masks is written whole, zeros and all. `config.json` comes last: without it nobody takes the folder for a model.
 * @throws {RangeError} when the parameters or the class names do not fit the model; nothing is written then.
 * @throws {FormatError} when `config.json` cannot say what the model is (layers that differ in size, a dual encoder whose
 * vision tower is not CLIP's, shared columns), or the files cannot be written.
 */
export async function exportHuggingFace(
  folder: string,
  {
    model,
    params,
    classNames,
    companions = {},
  }: {
    readonly model: { readonly config: ModelConfig; readonly specs: Tree<ParameterSpec> };
    readonly params: TensorTree;
    /** Names of a classifier's classes, in the order of its rows. */
    readonly classNames?: readonly string[] | undefined;
    readonly companions?: Companions;
  },
): Promise<void> {
  const config = denseConfigOf(model);
  checkClassNames(config, classNames);
  const { json, naming, folded, beside = new Map<string, HostTensor>() } = writingOf(config, classNames);
  const wrong = mismatches(entriesOf(model.specs), new Map(entriesOf(params)));
  if (wrong.length > 0) throw new RangeError(`the tensors do not fit the model:\n  ${wrong.join('\n  ')}`);
  await makeFolder(folder);
  await clearTemporaryFiles(folder);
  await writeCompanions(folder, companions);
  const read = leafReader(params);
  const weights =
    folded === undefined
      ? weightsOf(correspondences({ ...model, config }, naming), read, beside)
      : weightsOf(
          correspondences({ specs: modelOf(folded).specs, config: folded }, naming),
          foldingLayerScale(read),
          beside,
        );
  await writeAtomically(join(folder, 'model.safetensors'), weights);
  await writeAtomically(join(folder, 'config.json'), asTheirJson(json));
}

/** Fields that `transformers` (5.24) refuses as whole numbers: 1.0 is another value than 1 in Python. */
const wholeFloats = /^( *"(?:layerscale_value|layer_norm_eps)": -?\d+)(,?)$/gm;

const asTheirJson = (json: object): string =>
  `${JSON.stringify(json, undefined, 2).replace(wholeFloats, '$1.0$2')}\n`;

/**
 * The content of a `config.json` for programs that have the weights in another file: the kind of model and the names of its
 * classes. A model that was cut, whose columns are shared or whose tokens merge is described as if it was not.
 * @throws {FormatError} when `transformers` has no model of the kind.
 */
export function configForTransformers(
  { ties: _, ...config }: DenseConfig,
  classNames: readonly string[] | undefined,
): string {
  const { merging } = familyOf(config).pictures ?? {};
  const unmerged = merging === undefined ? config : merging(config, undefined);
  return asTheirJson(writingOf(withWholeLayers(unmerged), classNames).json);
}

/** Their file; each tensor is made when its turn to be written has come. */
function weightsOf(
  table: readonly Correspondence[],
  read: (path: string) => Promise<HostTensor>,
  beside: ReadonlyMap<string, HostTensor>,
): StreamedContent {
  const rows = new Map(table.map((row) => [row.name, row]));
  const described = [
    ...table.map(({ name, shape }) => [name, { dtype: 'float32', shape }] as const),
    ...[...beside].map(([name, { dtype, shape }]) => [name, { dtype, shape }] as const),
  ];
  const theirs = async (name: string) => {
    const own = beside.get(name);
    if (own !== undefined) return own;
    const row = rows.get(name);
    if (row === undefined) throw new RangeError(`expected a tensor ${name}, got none`);
    const ours = new Map<string, HostTensor>();
    for (const { path } of row.parts) ours.set(path, await read(path));
    return theirsOfParts(row, ours);
  };
  // transformers refuses files that do not say so
  return streamSafetensors(new Map(described), theirs, { format: 'pt' });
}

/** @throws {FormatError} when transformers has no model of this family, or no words for this one. */
function writingOf(config: DenseConfig, classNames: readonly string[] | undefined): Writing {
  if (config.ties !== undefined) {
    throw new FormatError("Hugging Face's layout cannot say that columns are shared: keep our own");
  }
  for (const layout of layouts) {
    const found = layout.source === 'Hugging Face' ? layout.write(config, classNames) : undefined;
    if (found !== undefined) return found;
  }
  throw new FormatError(`transformers has no model like a ${config.kind}`);
}
