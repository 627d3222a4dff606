import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type HostTensor,
  type Json,
  type PictureSize,
  UserError,
  type VisionTowerConfig,
  type VisionTowerParams,
  asDense,
  canonicalJson,
  denseConfigOf,
  disposeTree,
  downloadTree,
  engineName,
  entriesOf,
  familyOf,
  initialize,
  regionTower,
  toJson,
  uploadTree,
  visionTowerConfig,
} from '@winnow/core';
import type { ImageOptions, RegionReader } from '@winnow/data';
import { towerParameter } from '@winnow/lottery-ticket';
import { isHubName } from '../hub/hub-name';
import { openModel } from '../model-source/open-model';
import { picturesOf } from '../workload/prepared';
import type { TowerRecord } from './record';

/** The tower that says what regions show, with how its pictures are prepared. */
export interface OpenedTower {
  readonly record: TowerRecord;
  readonly imageSize: PictureSize;
  readonly preparation: Pick<ImageOptions, 'normalisation' | 'evaluationCropShare' | 'evaluationGeometry'>;
  readonly reader: RegionReader;
  /** Which tower it is, in words. */
  readonly told: string;
}

/** A tower that there is: its weights in host memory. */
interface Frozen {
  readonly config: VisionTowerConfig;
  readonly values: ReadonlyMap<string, HostTensor>;
}

/** The tower with random weights that describes regions where no other is named. */
export const randomTower = (imageSize: PictureSize, patchSize: number, seed: number): TowerRecord => ({
  kind: 'random',
  imageSize,
  patchSize,
  seed,
});

/**
 * Opens a tower that a model was trained with.
 * @param precision Of the engine, which decides the last digits.
 * @throws {UserError} when it is gone, or another one.
 */
export async function recordedTower(record: TowerRecord, precision: string): Promise<OpenedTower> {
  if (record.kind === 'model') {
    const { from, digest } = record;
    if (!isHubName(from) && !existsSync(from))
      throw new UserError(
        `the regions of this model were read by ${from}, which is not there any more: say with --regions-from where it is now`,
      );
    return towerOfModel(from, precision, digest);
  }
  const { imageSize, patchSize, seed } = record;
  const config = visionTowerConfig('nano', { imageSize, patchSize });
  const { specs } = regionTower(config);
  const drawn = initialize<VisionTowerParams>(specs, seed);
  try {
    const values = await downloadTree(drawn);
    const digest = digestOf([toJson(record)], values);
    return {
      record,
      imageSize,
      preparation: {},
      reader: readerOf({ config, values }, [digest, precision]),
      told: `a nano vision tower with random weights (seed ${seed})`,
    };
  } finally {
    disposeTree(drawn);
  }
}

/**
 * Opens the vision tower of a model.
 * @param expected The digest that it has to have.
 * @throws {UserError} when the model has none, or it is not the one that is expected.
 */
export async function towerOfModel(from: string, precision: string, expected?: string): Promise<OpenedTower> {
  const opened = await openModel(from, { missingHead: { classes: 1, seed: 0 } });
  try {
    const dense = asDense(opened);
    const { vision } = familyOf(denseConfigOf(dense.model)).towers(denseConfigOf(dense.model));
    if (vision === undefined || denseConfigOf(dense.model).ties !== undefined)
      throw new UserError(
        `--regions-from needs a model with a vision tower that is stored whole, and ${from} is a ${dense.kind} without one`,
      );
    const config = towerOnly(vision);
    const named = new Map(
      [...(await downloadTree(dense.params))].flatMap(([path, tensor]): [string, HostTensor][] => {
        const name = towerParameter(dense.model, path)?.name;
        return name?.startsWith(VISION) === true ? [[name.slice(VISION.length), tensor]] : [];
      }),
    );
    const paths = entriesOf(regionTower(config).specs).map(([path]) => path);
    const values = new Map(
      paths.flatMap((path): [string, HostTensor][] => {
        const found = named.get(path);
        return found === undefined ? [] : [[path, found]];
      }),
    );
    const preparation = picturesOf(opened.preparation);
    const digest = digestOf([toJson(config), toJson(preparation)], values);
    if (expected !== undefined && digest !== expected)
      throw new UserError(
        `the regions of this model were read by another tower than that of ${from}: name with --regions-from the one that it was trained with`,
      );
    return {
      record: { kind: 'model', from: isHubName(from) ? from : resolve(from), digest },
      imageSize: config.imageSize,
      preparation,
      reader: readerOf({ config, values }, [digest, precision]),
      told: `the vision tower of ${from}`,
    };
  } finally {
    disposeTree(opened.params);
  }
}

const VISION = 'vision.';

/** The configuration of a tower, whichever model it stands in. */
function towerOnly({
  imageSize,
  patchSize,
  channels,
  distillation,
  classToken,
  registers,
  positioned,
  embeddingNorm,
  patchBias,
  tower,
  attentionPool,
}: VisionTowerConfig): VisionTowerConfig {
  return {
    ...{ imageSize, patchSize, channels, distillation, embeddingNorm, patchBias, tower },
    ...(classToken === undefined ? {} : { classToken }),
    ...(registers === undefined ? {} : { registers }),
    ...(positioned === undefined ? {} : { positioned }),
    ...(attentionPool === undefined ? {} : { attentionPool }),
  };
}

function digestOf(said: readonly Json[], values: ReadonlyMap<string, HostTensor>): string {
  const hash = createHash('sha256').update(canonicalJson([...said]));
  for (const [path, tensor] of values)
    hash.update(JSON.stringify([path, tensor.shape])).update(tensor.values);
  return hash.digest('hex');
}

function readerOf({ config, values }: Frozen, identity: readonly string[]): RegionReader {
  const tower = regionTower(config);
  return {
    features: tower.features,
    digest: [...identity, engineName()].join(' '),
    lend: async (use) => {
      const params = uploadTree<VisionTowerParams>(tower.specs, values);
      try {
        return await use((images, boxes) => tower.read(params, images, boxes));
      } finally {
        disposeTree(params);
      }
    },
  };
}
