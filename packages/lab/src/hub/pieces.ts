import { InterruptedError } from '@winnow/core';
import { z } from 'zod';

/** The time that one waits for what comes, and who may stop it. */
export interface Patience {
  /** The longest that nothing may come, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The pieces of a body as they come.
 * @throws {Error} when it breaks off, or nothing comes for so long. @throws {InterruptedError} when the signal asks for it.
 */
export async function* piecesOf(
  body: ReadableStream<Uint8Array> | null,
  { timeoutMs, signal }: Patience,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), timeoutMs);
      if (signal?.aborted === true) throw new InterruptedError();
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (signal?.aborted === true) throw new InterruptedError();
    throw error;
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`nothing came for ${timeoutMs / 1000} s`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const failure = z.looseObject({
  message: z.string(),
  code: z.string().optional(),
  cause: z.unknown().optional(),
});
const several = z.looseObject({ errors: z.array(z.unknown()).min(1) });

/** The reason why a connection failed; `fetch failed` says nothing, its cause does. */
export function networkReason(error: unknown): string {
  const { data } = failure.safeParse(error);
  if (data === undefined) return String(error);
  if (data.cause !== undefined) return networkReason(data.cause);
  const [first] = several.safeParse(error).data?.errors ?? [];
  if (first !== undefined) return networkReason(first);
  return data.code ?? data.message;
}
