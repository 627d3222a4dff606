import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@winnow/core';
import { z } from 'zod';

/** Where the Hub is, who asks, and where its files are kept. */
export interface HubSetting {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the endpoint's own host and to no other; never shown or written. */
  readonly token: string | undefined;
  /** Whether only the cache is used. */
  readonly isOffline: boolean;
  /** The cache that programs on the Hub share. */
  readonly cacheFolder: string;
  /** The longest that the Hub may say nothing, in milliseconds. */
  readonly timeoutMs: number;
}

/** Environment variables by name, or whatever stands for them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PUBLIC_HUB = 'https://huggingface.co';
const IS_TRUE = /^(?:1|on|yes|true)$/i;
const MOST_SECONDS = 3600;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

const text = z.string().optional();
/** The names are those that huggingface_hub reads (its page on environment variables). */
const environmentSchema = z.object({
  HF_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'an address that begins with https://' })
    .default(PUBLIC_HUB),
  HF_TOKEN: z
    .string()
    .regex(/^hf_\w{1,200}$/, 'a token of the Hub, which begins with hf_')
    .optional(),
  HF_HUB_OFFLINE: text,
  HF_HUB_CACHE: text,
  HUGGINGFACE_HUB_CACHE: text,
  HF_HOME: text,
  XDG_CACHE_HOME: text,
  HF_HUB_DOWNLOAD_TIMEOUT: z.coerce
    .number({ error: `seconds, above 0 and up to ${MOST_SECONDS}` })
    .positive(`seconds, above 0 and up to ${MOST_SECONDS}`)
    .max(MOST_SECONDS, `seconds, above 0 and up to ${MOST_SECONDS}`)
    .default(30),
  HOME: text,
});

/**
 * Reads the environment; an empty variable is none.
 * @throws {UserError} naming the variable that is not as it should be, without its value.
 */
export function hubSetting(environment: Environment): HubSetting {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const { success, data, error } = environmentSchema.safeParse(given);
  if (!success) {
    const [issue] = error.issues;
    throw new UserError(`${String(issue?.path[0])}: expected ${issue?.message ?? 'something else'}`);
  }
  const { HF_ENDPOINT: endpoint, HF_TOKEN: token } = data;
  const { protocol, hostname, username, password } = new URL(endpoint);
  if (username !== '' || password !== '')
    throw new UserError('HF_ENDPOINT: expected an address without a password; a token is given in HF_TOKEN');
  if (token !== undefined && protocol === 'http:' && !LOOPBACK.test(hostname))
    throw new UserError(
      `HF_ENDPOINT: expected an address that begins with https:// for a token (HF_TOKEN) to be sent there, got ${endpoint}`,
    );
  return {
    endpoint: endpoint.replace(/\/+$/, ''),
    token,
    isOffline: IS_TRUE.test(data.HF_HUB_OFFLINE ?? ''),
    cacheFolder: cacheFolderOf(data),
    timeoutMs: data.HF_HUB_DOWNLOAD_TIMEOUT * 1000,
  };
}

function cacheFolderOf({
  HF_HUB_CACHE,
  HUGGINGFACE_HUB_CACHE,
  HF_HOME,
  XDG_CACHE_HOME,
  HOME = homedir(),
}: z.output<typeof environmentSchema>): string {
  const home = HF_HOME ?? join(XDG_CACHE_HOME ?? join(HOME, '.cache'), 'huggingface');
  const folder = HF_HUB_CACHE ?? HUGGINGFACE_HUB_CACHE ?? join(home, 'hub');
  return folder.startsWith('~/') ? join(HOME, folder.slice(2)) : folder;
}
