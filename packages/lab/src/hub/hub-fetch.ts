import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError, UserError } from '@winnow/core';
import { hubText } from './hub-name';
import { type Patience, networkReason, piecesOf } from './pieces';
import { type Asked, answerOf, refusal } from './refusal';

/** An answer of the Hub's interface may not be larger than this; files are bounded by what it says of them. */
const MOST_JSON_BYTES = 2 ** 23;
const MOST_REDIRECTS = 5;
const TRIES = 4;
const FIRST_WAIT_MS = 250;
/** An answer that asks for more patience is an error. */
const LONGEST_WAIT_SECONDS = 30;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/** Who asks for which model, and how patiently. */
export type Asking = Asked & Patience;

/** The connection to the Hub could not be made, or broke. */
class Unreachable extends Error {}

/**
 * `fetch` for the Hub's library: follows redirects without taking the token to another host or from https to http, waits and
 * asks again where that may help, and gives every answer that is no success as an error.
 * @param expects JSON is read whole within a bound; the body of a file is for the caller to read.
 * @throws {UserError} in one line. @throws {InterruptedError} when the signal asks for it.
 */
export function hubFetch(asking: Asking, expects: 'json' | 'file'): typeof fetch {
  const { signal } = asking;
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt === TRIES;
      const answer = await attempted(url, init, asking, expects).catch((error: unknown) => {
        if (signal?.aborted === true) throw new InterruptedError();
        if (!(error instanceof Unreachable)) throw error;
        if (isLast || !isWorthAnother(error)) throw unreachable(error, asking);
        return undefined;
      });
      if (answer?.ok === true) return answer;
      await answer?.body?.cancel();
      if (answer !== undefined && (isLast || !isWorthWaiting(answer)))
        throw refusal(answerOf(answer), asking);
      await wait(waitMs(answer, attempt), signal);
    }
  };
}

const unreachable = ({ message }: Unreachable, { name, endpoint }: Asked): UserError =>
  new UserError(
    `${hubText(name)}: cannot reach ${endpoint} (${message}); without a network, HF_HUB_OFFLINE=1 takes what is in the cache`,
  );

/** Where nothing listens, or the name is not known, asking again is no use. */
const isWorthAnother = ({ message }: Unreachable): boolean =>
  !/ENOTFOUND|ECONNREFUSED|EAI_AGAIN/.test(message);

const isWorthWaiting = (answer: Response): boolean =>
  PASSING.has(answer.status) && (answerOf(answer).waitSeconds ?? 0) <= LONGEST_WAIT_SECONDS;

function waitMs(answer: Response | undefined, attempt: number): number {
  const asked = answer === undefined ? undefined : answerOf(answer).waitSeconds;
  return asked === undefined ? FIRST_WAIT_MS * 2 ** (attempt - 1) : asked * 1000;
}

async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {
    throw new InterruptedError();
  });
}

async function attempted(
  url: URL,
  init: RequestInit,
  asking: Asking,
  expects: 'json' | 'file',
): Promise<Response> {
  const answer = await followed(url, init, asking);
  return answer.ok && expects === 'json' ? bounded(answer, asking) : answer;
}

async function followed(url: URL, init: RequestInit, asking: Asking): Promise<Response> {
  const { name, endpoint } = asking;
  const home = new URL(endpoint);
  const headers = new Headers(init.headers);
  for (let at = url, hops = 0; hops <= MOST_REDIRECTS; hops++) {
    // Once it has left its host, a request does not get the token back.
    if (at.origin !== home.origin) headers.delete('authorization');
    const answer = await answered(at, { ...init, headers, redirect: 'manual' }, asking);
    const location = answer.headers.get('location');
    if (!REDIRECTS.has(answer.status) || location === null) return answer;
    await answer.body?.cancel();
    const next = URL.canParse(location, at.href) ? new URL(location, at) : undefined;
    if (next === undefined || (next.protocol !== 'https:' && next.protocol !== home.protocol))
      throw new UserError(
        `${hubText(name)}: ${at.host} leads on to an address that does not begin with ${home.protocol}//, which is refused`,
      );
    at = next;
  }
  throw new UserError(`${hubText(name)}: expected at most ${MOST_REDIRECTS} redirects, got more`);
}

/** The limit of time is for the answer's beginning. */
async function answered(url: URL, init: RequestInit, { timeoutMs, signal }: Patience): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, timeoutMs);
  try {
    const signals = signal === undefined ? [late.signal] : [late.signal, signal];
    return await fetch(url, { ...init, signal: AbortSignal.any(signals) });
  } catch (error) {
    throw new Unreachable(
      late.signal.aborted ? `no answer within ${timeoutMs / 1000} s` : networkReason(error),
    );
  } finally {
    clearTimeout(timer);
  }
}

async function bounded(answer: Response, { name, endpoint, ...patience }: Asking): Promise<Response> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of piecesOf(answer.body, patience)) {
      size += piece.byteLength;
      if (size > MOST_JSON_BYTES) break;
      pieces.push(piece);
    }
  } catch (error) {
    throw new Unreachable(networkReason(error));
  }
  if (size > MOST_JSON_BYTES)
    throw new UserError(
      `${hubText(name)}: expected at most ${MOST_JSON_BYTES} bytes of JSON from ${endpoint}, got more`,
    );
  return new Response(Buffer.concat(pieces), { status: answer.status, headers: answer.headers });
}
