import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { memory } from '@tensorflow/tfjs-core';
import { type AnyDenseModel, type TensorTree, anyModel, disposeTree, leavesOf, modelOf } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { dualEncoders, one, randomValues } from './random-model';

const disk = await import('node:fs/promises');
type Handle = Awaited<ReturnType<typeof disk.open>>;
/** The events of weights files and of tensors, in order. */
let events: string[] = [];
/** How many tensors the engine held when a file was read. */
let tensorsAtRead: number[] = [];

jest.unstable_mockModule('node:fs/promises', () => ({
  ...disk,
  open: async (...[file, flags]: Parameters<typeof disk.open>) => {
    const handle = await disk.open(file, flags);
    if (!String(file).includes('.safetensors')) return handle;
    return {
      stat: () => handle.stat(),
      sync: () => handle.sync(),
      close: () => handle.close(),
      writeFile: async (piece: Uint8Array) => {
        events.push('write');
        await handle.writeFile(piece);
      },
      read: (...[buffer, offset, length, position]: [Uint8Array, number, number, number]) => {
        tensorsAtRead.push(memory().numTensors);
        return handle.read(buffer, offset, length, position);
      },
    } satisfies Partial<Record<keyof Handle, unknown>>;
  },
}));
const { exportHuggingFace, importModel, loadModel, saveModel } = await import('../src/index');

const config = one(dualEncoders);
let folder: string;
let made: AnyDenseModel;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'winnow-')), 'model');
  made = anyModel(config, randomValues(config, 1));
});
afterEach(async () => {
  disposeTree(made.params);
  await rm(join(folder, '..'), { recursive: true });
});

/** Records the events while all parameters are written by `save`. */
async function eventsOf(save: (params: TensorTree) => Promise<void>): Promise<string[]> {
  events = [];
  for (const leaf of leavesOf(made.params)) {
    const data = leaf.data.bind(leaf);
    jest.spyOn(leaf, 'data').mockImplementation(() => {
      events.push('fetch');
      return data();
    });
  }
  await save(made.params);
  return events;
}

/** A header, then each tensor fetched only when the one before is in the file. */
const oneByOne = () => ['write', ...leavesOf(modelOf(config).specs).flatMap(() => ['fetch', 'write'])];

describe('a model that fills half of the memory can be', () => {
  it('saved: its tensors are fetched one by one', async () => {
    expect(await eventsOf((params) => saveModel(folder, { model: made.model, params }))).toEqual(oneByOne());
  });

  it('exported: its tensors are fetched one by one', async () => {
    const exporting = (params: TensorTree) => exportHuggingFace(folder, { model: made.model, params });
    expect(await eventsOf(exporting)).toEqual(oneByOne());
  });

  it.each([
    ['loaded', () => saveModel(folder, made), () => loadModel(folder)],
    ['imported', () => exportHuggingFace(folder, made), () => importModel(folder)],
  ])('%s: each tensor is with the engine before the next one is read', async (_, write, read) => {
    await write();
    const before = memory().numTensors;
    tensorsAtRead = [];
    const { params } = await read();
    const count = leavesOf(params).length;
    expect(tensorsAtRead.slice(-count).map((tensors) => tensors - before)).toEqual(
      Array.from({ length: count }, (_, index) => index),
    );
    disposeTree(params);
    expect(memory().numTensors).toBe(before);
  });
});
