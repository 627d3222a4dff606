import { UserError } from '@winnow/core';

const PREFIX = 'hf:';
/** Owner and name, as the Hub allows them; two dashes part them in the names of folders of its cache. */
const REPOSITORY = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/;
const REVISION = /^\w[\w.+/-]{0,255}$/;
const COMMIT = /^[0-9a-f]{40}$/;
const PATH_LIKE = /\.\.|\/\/|\/\.|\/$/;

/** A model on the Hugging Face Hub. */
export interface HubName {
  /** `owner/name`. */
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

/** Whether a text names a model on the Hub instead of a path of this machine. */
export const isHubName = (text: string): boolean => text.startsWith(PREFIX);

/** Whether a revision is a commit, which always means the same files. */
export const isCommit = (revision: string): boolean => COMMIT.test(revision);

/**
 * Reads `hf:owner/name@revision`; without a revision it is the branch `main`.
 * @throws {UserError} on anything else.
 */
export function hubNameIn(text: string): HubName {
  const [repository = '', revision = 'main', ...more] = text.slice(PREFIX.length).split('@');
  if (
    !isHubName(text) ||
    more.length > 0 ||
    !REPOSITORY.test(repository) ||
    /--|\.\./.test(repository) ||
    !REVISION.test(revision) ||
    PATH_LIKE.test(revision)
  ) {
    throw new UserError(
      `expected a model of the Hub as hf:owner/name or hf:owner/name@revision (a branch, a tag or a commit), got ${text}; a path that begins so is written ./${text}`,
    );
  }
  return { repository, revision };
}

export const hubText = ({ repository, revision }: HubName): string => `${PREFIX}${repository}@${revision}`;
