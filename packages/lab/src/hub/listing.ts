import { UserError } from '@winnow/core';
import { z } from 'zod';
import { type HubFile, hubFile } from './files';
import { type Asking, hubFetch } from './hub-fetch';
import { hubText, isCommit } from './hub-name';

const MOST_FILES = 10_000;
const modelSchema = z.object({ sha: z.string().refine(isCommit, 'expected a commit') });

/**
 * The commit that a revision is at now.
 * @throws {UserError} when there is no such model or revision, it may not be read, or the Hub cannot be reached.
 */
export async function commitOnHub(asking: Asking): Promise<string> {
  const { modelInfo } = await import('@huggingface/hub');
  const { name } = asking;
  const found = await understood(asking, () =>
    modelInfo({
      ...accessOf(asking),
      name: name.repository,
      revision: name.revision,
      additionalFields: ['sha'],
    }),
  );
  return checked(modelSchema, found, asking).sha;
}

/**
 * The files of a commit, without those in folders of it.
 * @throws {UserError} when they cannot be listed.
 */
export async function filesOnHub(commit: string, asking: Asking): Promise<HubFile[]> {
  const { listFiles } = await import('@huggingface/hub');
  return understood(asking, async () => {
    const files: HubFile[] = [];
    const repo = { type: 'model', name: asking.name.repository } as const;
    for await (const entry of listFiles({ ...accessOf(asking), repo, revision: commit })) {
      if (files.length === MOST_FILES)
        throw new UserError(
          `${hubText(asking.name)}: expected at most ${MOST_FILES} files beside each other, got more`,
        );
      files.push(checked(hubFile, entry, asking));
    }
    return files;
  });
}

const accessOf = (asking: Asking) => ({
  hubUrl: asking.endpoint,
  ...(asking.token === undefined ? {} : { accessToken: asking.token }),
  fetch: hubFetch(asking, 'json'),
});

const ofUser = z.object({ exitCode: z.int() });

/** The library reads answers without looking at what they are. */
async function understood<T>(asking: Asking, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (ofUser.safeParse(error).success) throw error;
    throw strange(asking, error instanceof Error ? error.message : String(error));
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, asking: Asking): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw strange(asking, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

const strange = ({ name, endpoint }: Asking, what: string): UserError =>
  new UserError(
    `${hubText(name)}: the answer of ${endpoint} is not one of a Hub (${what.slice(0, 200)}): look at HF_ENDPOINT`,
  );
