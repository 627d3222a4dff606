import { UserError, withoutPasswords } from '@winnow/core';
import { messageOf } from './job-queue';

const CONNECT_TIMEOUT_MS = 5000;
const LONGEST_WAIT_MS = 2000;

/** The way in which BullMQ is to reach the server: it tries again for as long as it takes, a server may be started anew. */
export const connectionTo = (url: string) => ({
  url,
  maxRetriesPerRequest: null,
  retryStrategy: (attempts: number) => Math.min(100 * attempts, LONGEST_WAIT_MS),
});

/**
 * Finds out at once whether a server answers.
 * @throws {UserError} when the address is none, nobody answers there, or a password is wrong or missing; it shows none.
 */
export async function checkRedis(url: string): Promise<void> {
  const password = passwordIn(url);
  // Loaded when needed, here and by queue and worker: BullMQ and this client took a fifth of the start of every command.
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason = '';
  redis.on('error', (error) => {
    reason = messageOf(error);
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    const told = masked(reason === '' ? messageOf(error) : reason, password);
    if (/\b(?:NOAUTH|WRONGPASS|NOPERM)\b/.test(told)) {
      throw new UserError(
        `queue: the server at ${shownAddress(url)} does not let us in (${told}): give its password in the address or in the environment`,
      );
    }
    throw new UserError(
      `queue: no Redis or Valkey server answers at ${shownAddress(url)} (${told}): start one, or run without --queue`,
    );
  } finally {
    redis.disconnect();
  }
}

/** @throws {UserError} when the address is none. */
function passwordIn(url: string): string {
  try {
    if (!/^rediss?:\/\/[^/\s]+/.test(url)) throw new TypeError('it begins otherwise');
    return decodeURIComponent(new URL(url).password);
  } catch {
    throw new UserError(
      `queue: expected an address like redis://host:6379, got ${JSON.stringify(shownAddress(url))}`,
    );
  }
}

/** Also of what is no address: what stands before an @, or where a port should be, may be a password. */
const shownAddress = (url: string): string =>
  withoutPasswords(url)
    .replace(/^(rediss?:\/\/[^:/@]*):.*@/s, '$1:***@')
    .replace(/^(?!rediss?:\/\/).*@/s, '***@')
    .replace(/^(rediss?:\/\/[^:/@]*):(?!\d*(?:[/?]|$))[^@]*$/s, '$1:***');

/** Servers may tell what they were told. What is shorter is in every word. */
const masked = (text: string, password: string): string =>
  withoutPasswords(password.length < 4 ? text : text.replaceAll(password, '***'));

/** Says what went wrong with a connection, without its password. */
export const connectionFault = (error: unknown, url: string): string =>
  masked(messageOf(error), URL.canParse(url) ? decodeURIComponent(new URL(url).password) : '');

/**
 * An address with a password that was given apart from it. One in the address itself wins.
 * @param password As it is, without the escapes of an address.
 */
export function withPassword(url: string, password: string | undefined): string {
  if (password === undefined || password === '' || !URL.canParse(url)) return url;
  const address = new URL(url);
  if (address.password !== '') return url;
  address.password = encodeURIComponent(password);
  return address.href;
}
