import type { HostTensor } from '@winnow/core';
import { type OpenFile, openFile } from '../file/open-file';
import { valuesOf } from './element';
import { checkFinite } from './finite';
import { type HeaderEntry, LENGTH_BYTES, dataStartOf, decodeHeader } from './header';

/** A safetensors file whose header was read and checked; the tensors are read one by one. Whoever opened it closes it. */
export interface OpenSafetensors {
  readonly file: string;
  /** In bytes. */
  readonly size: number;
  readonly entries: readonly HeaderEntry[];
  /** @throws {FormatError} when the file cannot be read, or holds a float that is NaN or infinite, or an I64 beyond int32. */
  read(entry: HeaderEntry): Promise<HostTensor>;
  close(): Promise<void>;
}

/**
 * Opens a file for reading tensor by tensor, so that a large one need not be in memory at once.
 * @throws {FormatError} naming the file and the tensor, when anything about its header is not as the format says.
 */
export async function openSafetensors(file: string): Promise<OpenSafetensors> {
  const opened = await openFile(file);
  try {
    return await safetensorsIn(opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Like `openSafetensors`, of a file that is open already. */
export async function safetensorsIn(opened: OpenFile): Promise<OpenSafetensors> {
  const { file, size } = opened;
  const start = await opened.read(0, Math.min(LENGTH_BYTES, size));
  const { entries, dataStart } = decodeHeader(
    await opened.read(0, dataStartOf(start, size, file)),
    file,
    size,
  );
  return {
    file,
    size,
    entries,
    read: async ({ name, type, shape, begin, end }) => {
      const place = `${file}: tensor ${name}`;
      const tensor = valuesOf(type, await opened.read(dataStart + begin, dataStart + end), shape, place);
      if (tensor.dtype === 'float32') checkFinite(tensor.values, place);
      return tensor;
    },
    close: () => opened.close(),
  };
}
