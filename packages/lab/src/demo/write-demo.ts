import { writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { UserError, parseOptions } from '@winnow/core';
import { findPictures } from '@winnow/data';
import type { DemoData, PackedFile } from '@winnow/demo';
import { startEngine } from '@winnow/engine';
import { makeFolder, readBytesIfThere } from '@winnow/formats';
import { z } from 'zod';
import type { HubWatch } from '../hub/snapshot';
import { pinnedModel } from '../model-source/hub-model';
import { writeWhole } from '../model-source/write-whole';
import { onnxPrecisions } from '../onnx/precision';
import type { GivenOptions, OptionGroup } from '../options/group';
import { pathOption } from '../options/path';
import { calibrationCount, refuseIdleCalibration } from '../proof/calibration';
import { namesIn } from '../run-folder/output-folder';
import { type ShownModel, shownModel } from './shown-model';

const demoOptions = z.object({
  against: pathOption('model').optional().describe('The dense model: both run side by side'),
  precision: z
    .enum(onnxPrecisions)
    .default('f32')
    .describe('The numbers of the ONNX files; with int8 the dense model stays f32'),
  data: pathOption('dataset')
    .optional()
    .describe('Of int8: the pictures that its ranges are chosen by; default: the data of the run'),
  calibration: calibrationCount.optional(),
  texts: z
    .string()
    .optional()
    .describe('Of a dual encoder: the texts to begin with, separated by |; the page lets them be changed'),
  pictures: pathOption('pictures')
    .optional()
    .describe('Pictures to choose from in the page, at most 12: a file, a folder or a pattern in quotes'),
  title: z.string().min(1).max(200).optional().describe('The title of the page'),
  out: pathOption('output').min(1).optional().describe('The folder to write the page to'),
});

/** The options of a demonstration. */
export const demoGroup = { title: 'Options of demo', schema: demoOptions } as const satisfies OptionGroup;

/** A page that was written. */
export interface WrittenDemo {
  readonly out: string;
  /** The page itself. */
  readonly page: string;
  /** The size of all files of the folder. */
  readonly bytes: number;
  readonly notes: readonly string[];
}

/**
 * Writes a page that runs a model in a browser, beside the dense one where it is named: a folder that needs no network and no
 * server.
 * @param named A run, a model folder or a checkpoint, or a model of the Hub.
 * @param given Options of `demoGroup`; `out` must be among them.
 * @throws {UserError} when there is no model, it is neither a classifier nor a dual encoder, the two tell other things apart, or
 * the folder is taken.
 */
export async function writeDemo(
  named: string,
  given: GivenOptions,
  watch: HubWatch = {},
): Promise<WrittenDemo> {
  const options = parseOptions(demoOptions, given, demoGroup.title);
  const { out, against } = options;
  const title =
    options.title ?? (against === undefined ? 'A model in the browser' : 'Two models side by side');
  if (out === undefined) throw new UserError('demo: say with --out where the page should go');
  refuseIdleCalibration(options.precision, options);
  if ((await namesIn(out)).length > 0)
    throw new UserError(`${out} is not empty: choose another folder with --out`);
  const pictures = options.pictures === undefined ? [] : await chosenPictures(options.pictures);
  // Weights only pass through: the engine that is always there will do.
  await startEngine('wasm');
  // Only whoever writes such pages loads what it takes.
  const { backends, demoPage, demoScripts, packedAs, piecesOf, runtimeBinary } = await import('@winnow/demo');
  const paths = [against, named].flatMap((path) => (path === undefined ? [] : [path]));
  return writeWhole(out, async (folder) => {
    let bytes = 0;
    const write = async (file: string, content: Uint8Array | string): Promise<void> => {
      const path = join(folder, file);
      await makeFolder(dirname(path));
      await writeFile(path, content);
      bytes += Buffer.byteLength(content);
    };
    const pack = async (id: string, content: Uint8Array): Promise<PackedFile> => {
      for (const { path, text } of piecesOf(id, content)) await write(path, text);
      return packedAs(id, content);
    };
    const shown: ShownModel[] = [];
    for (const [place, path] of paths.entries()) {
      const isDense = place < paths.length - 1;
      const precision = isDense && options.precision === 'int8' ? 'f32' : options.precision;
      const called = isDense ? 'Dense' : paths.length > 1 ? 'Compressed' : 'Model';
      const local = await pinnedModel(path, watch);
      shown.push(await shownModel(local, called, { ...options, precision }, pack));
    }
    const { by, exclusion, names } = toldApart(shown);
    const runtimes = await Promise.all(
      backends.map(
        async (backend) => [backend, await pack(`runtime-${backend}`, await runtimeBinary(backend))] as const,
      ),
    );
    const [wasm, webgpu] = runtimes.map(([, file]) => file);
    if (wasm === undefined || webgpu === undefined) throw new RangeError('expected two runtimes');
    const data: DemoData = {
      title,
      by,
      exclusion,
      names,
      models: shown.map(({ model }) => model),
      runtimes: { wasm, webgpu },
      pictures,
    };
    for (const [name, content] of await demoScripts()) await write(name, content);
    await write(PAGE, demoPage(data));
    const notes = shown.flatMap(({ notes }) => notes);
    return { out, page: join(out, PAGE), bytes, notes: [...new Set(notes)] };
  });
}

const PAGE = 'index.html';

/** Finds the things that both models tell apart. @throws {UserError} when it is not the same. */
function toldApart(shown: readonly ShownModel[]): Pick<ShownModel, 'by' | 'exclusion' | 'names'> {
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('expected a model');
  const named = shown.filter(({ isNamed }) => isNamed);
  const isSame = new Set(named.map(({ names }) => JSON.stringify(names))).size < 2;
  if (first.by === last.by && first.names.length === last.names.length && isSame)
    return { ...last, names: named[0]?.names ?? last.names };
  throw new UserError('--against: the two models tell other things apart, so that nothing can be compared');
}

const MOST_PICTURES = 12;
const MOST_BYTES = 4 * 2 ** 20;
/** Those that every browser shows. */
const types: Readonly<Record<string, string>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
  '.gif': 'gif',
  '.avif': 'avif',
};

/** @throws {UserError} when one is too large, or of a format that browsers do not show. */
async function chosenPictures(named: string): Promise<DemoData['pictures']> {
  const { paths } = await findPictures([named]);
  const chosen: { readonly name: string; readonly source: string }[] = [];
  for (const path of paths.slice(0, MOST_PICTURES)) {
    const type = types[extname(path).toLowerCase()];
    if (type === undefined)
      throw new UserError(`--pictures: browsers do not show ${path}: take PNG, JPEG, WebP, GIF or AVIF`);
    const content = await readBytesIfThere(path, { mostBytes: MOST_BYTES });
    if (content === undefined) throw new UserError(`--pictures: there is no picture ${path}`);
    const source = `data:image/${type};base64,${Buffer.from(content).toString('base64')}`;
    chosen.push({ name: path, source });
  }
  return chosen;
}
