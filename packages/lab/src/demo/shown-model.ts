import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Exclusion,
  type PictureGeometry,
  type PictureSize,
  UserError,
  denseConfigOf,
  disposeTree,
  familyOf,
  mappedSides,
  sidesOf,
} from '@winnow/core';
import { imageNetNormalisation } from '@winnow/data';
import type { DemoModel, DemoPreparation, PackedFile, TextReader } from '@winnow/demo';
import { companionsOf } from '../model-source/export-model';
import { type OpenedModel, openModel } from '../model-source/open-model';
import { type OnnxPrecision, onnxFile } from '../onnx/precision';
import { logitScaling, writeOnnx } from '../onnx/write-onnx';
import { predictorOf } from '../prediction/predictor';
import { calibrationExamples } from '../proof/calibration';
import { readerOfTexts } from '../workload/zero-shot';

/** A model of a page, and what it tells apart. */
export interface ShownModel {
  readonly model: DemoModel;
  readonly by: 'classes' | 'texts';
  readonly exclusion: Exclusion;
  readonly names: readonly string[];
  /** Whether the names are its own, and not just numbers. */
  readonly isNamed: boolean;
  /** Notes for a person, a line each. */
  readonly notes: readonly string[];
}

/** Puts bytes into the page's folder. */
type Pack = (id: string, content: Uint8Array) => Promise<PackedFile>;

interface ShownOptions {
  readonly precision: OnnxPrecision;
  readonly texts?: string | undefined;
  readonly data?: string | undefined;
  readonly calibration?: number | undefined;
}

/**
 * Packs a model for a page.
 * @param title The name over its answers, of which its files are named too.
 * @throws {UserError} when it is neither a classifier nor a dual encoder, or has no tokenizer.
 */
export async function shownModel(
  path: string,
  title: string,
  options: ShownOptions,
  pack: Pack,
): Promise<ShownModel> {
  const opened = await openModel(path);
  const folder = await mkdtemp(join(tmpdir(), 'winnow-demo-'));
  try {
    const { by, exclusion, names, notes } = await predictorOf(opened, options.texts);
    if (names.length === 0)
      throw new UserError(`demo: ${path} has no classes: train it on pictures with classes first`);
    const { modelParts } = await import('@winnow/onnx');
    const parts = modelParts(opened.model);
    const calibration = await calibrationExamples(path, opened, parts, options);
    await writeOnnx(folder, opened, { ...options, calibration }, await companionsOf(opened));
    const id = title.toLowerCase();
    const packPart = async (name: 'model' | 'vision' | 'text') =>
      pack(`${id}-${name}`, new Uint8Array(await readFile(join(folder, onnxFile(name, options.precision)))));
    const vision = await packPart(by === 'texts' ? 'vision' : 'model');
    const text = by === 'texts' ? await textReader(opened, await packPart('text'), id, pack) : null;
    const config = denseConfigOf(opened.model);
    const { account } = opened.model;
    const { preparation, note } = preparationOf(opened);
    return {
      by,
      exclusion,
      names,
      isNamed: by === 'texts' || opened.classNames !== undefined,
      notes: [...opened.notes, ...notes, ...(note === undefined ? [] : [note])],
      model: {
        title,
        summary: familyOf(config).summary(config),
        precision: options.precision,
        parameters: account.parameters,
        macs: account.macs,
        bytes: vision.bytes + (text?.file.bytes ?? 0),
        preparation,
        vision,
        text,
      },
    };
  } finally {
    disposeTree(opened.params);
    await rm(folder, { recursive: true, force: true });
  }
}

async function textReader(
  opened: OpenedModel,
  file: PackedFile,
  id: string,
  pack: Pack,
): Promise<TextReader> {
  const { model, tokenizer } = await readerOfTexts(opened, 'demo');
  const packed = await pack(`${id}-tokenizer`, Buffer.from(JSON.stringify(tokenizer.file)));
  const scaling = await logitScaling(opened.params);
  if (scaling === undefined) throw new RangeError('expected a scale of logits');
  return { file, tokenizer: packed, context: model.config.text.context, ...scaling };
}

/** The preparation of pictures by a page: level for level as here, where the model says how. */
function preparationOf({ model, preparation }: OpenedModel): {
  readonly preparation: DemoPreparation;
  readonly note?: string;
} {
  const config = denseConfigOf(model);
  const { vision } = familyOf(config).towers(config);
  if (vision === undefined) throw new RangeError('expected a model of pictures');
  const { imageSize } = vision;
  const { mean, std, scale } = preparation ?? imageNetNormalisation;
  const normalisation = { mean, std, ...(scale === undefined ? {} : { scale }) };
  const geometry = preparation?.geometry;
  if (geometry !== undefined) return { preparation: { imageSize, geometry, normalisation } };
  return {
    preparation: { imageSize, geometry: covering(imageSize, preparation?.shownShare), normalisation },
    note: 'the page scales pictures as Pillow does, where Winnow leaves it to libvips: levels may differ by one or two',
  };
}

/** The middle of a picture that covers the size, or somewhat more of it, as our data have it. */
const covering = (imageSize: PictureSize, shownShare = 1): PictureGeometry => ({
  resize: {
    kind: 'cover',
    ...sidesOf(mappedSides(imageSize, (side) => Math.round(side / shownShare))),
  },
  interpolation: 'bicubic',
  arithmetic: 'pillow',
  halves: 'down',
});
