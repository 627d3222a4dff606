import { UserError } from '@winnow/core';
import { Redis } from 'ioredis';
import { messageOf } from './job-queue';

const CONNECT_TIMEOUT_MS = 5000;
const LONGEST_WAIT_MS = 2000;

/** How BullMQ is to reach the server: it tries again for as long as it takes, a server may be started anew. */
export const connectionTo = (url: string) => ({
  url,
  maxRetriesPerRequest: null,
  retryStrategy: (attempts: number) => Math.min(100 * attempts, LONGEST_WAIT_MS),
});

/**
 * Finds out at once whether a server answers.
 * @throws {UserError} when the address is none, or nobody answers there.
 */
export async function checkRedis(url: string): Promise<void> {
  if (!/^rediss?:\/\/[^/\s]+/.test(url)) {
    throw new UserError(`queue: expected an address like redis://host:6379, got ${JSON.stringify(url)}`);
  }
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
    throw new UserError(
      `queue: no Redis or Valkey server answers at ${url} (${reason === '' ? messageOf(error) : reason}): start one, or run without --queue`,
    );
  } finally {
    redis.disconnect();
  }
}
