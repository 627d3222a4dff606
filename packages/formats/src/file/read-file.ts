import { type ZodType, z } from 'zod';
import { FormatError } from './format-error';
import { type OpenFile, openFile, openFileIfThere } from './open-file';

/**
 * The whole file, in a buffer of its own (aligned for typed arrays), also beyond 2 GiB.
 * @throws {FormatError} when it is missing, may not be read, is no file, or changes length while it is read.
 */
export async function readBytes(file: string): Promise<Uint8Array<ArrayBuffer>> {
  return whole(await openFile(file));
}

/** Like `readBytes`, but `undefined` where there is no such file. */
export async function readBytesIfThere(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const opened = await openFileIfThere(file);
  return opened && whole(opened);
}

async function whole(opened: OpenFile): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await opened.read(0, opened.size);
  } finally {
    await opened.close();
  }
}

/**
 * JSON bytes as the schema wants them.
 * @throws {FormatError} naming the file and, per problem, the path inside the JSON.
 */
export function parseJson<Value>(file: string, bytes: Uint8Array, schema: ZodType<Value>): Value {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new FormatError(
      `${file}: expected JSON; ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
  return checkJson(file, json, schema);
}

/** Like `parseJson`, for JSON that was read already. */
export function checkJson<Value>(file: string, json: unknown, schema: ZodType<Value>): Value {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => {
    const place = path.length === 0 ? 'at the top' : `at ${z.core.toDotPath(path)}`;
    return `  ${place}: ${message}`;
  });
  throw new FormatError(`${file}: not what was expected\n${problems.join('\n')}`);
}
