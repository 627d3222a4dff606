import { UserError } from '@winnow/core';
import { type HubName, hubText } from './hub-name';
import type { HubSetting } from './setting';

/** The question to the Hub that an answer is for. */
export interface Asked extends Pick<HubSetting, 'endpoint' | 'token'> {
  readonly name: HubName;
}

/** The Hub's answer, as far as it is looked at: nothing of its text is shown. */
interface Answer {
  readonly status: number;
  /** `X-Error-Code`. */
  readonly code: string | null;
  /** `Retry-After`. */
  readonly waitSeconds: number | undefined;
}

export const answerOf = ({ status, headers }: Response): Answer => {
  const wait = Number(headers.get('retry-after') ?? Number.NaN);
  return {
    status,
    code: headers.get('x-error-code'),
    waitSeconds: Number.isFinite(wait) && wait >= 0 ? wait : undefined,
  };
};

/** The one-line error for an answer that is none of what was asked for. */
export function refusal(answer: Answer, asked: Asked): UserError {
  return new UserError(`${hubText(asked.name)}: ${reasonOf(answer, asked)}`);
}

function reasonOf({ status, code, waitSeconds }: Answer, { name, endpoint, token }: Asked): string {
  const { repository, revision } = name;
  const page = `${endpoint}/${repository}`;
  const giveToken = `a token in the environment variable HF_TOKEN (${endpoint}/settings/tokens makes one)`;
  if (code === 'GatedRepo')
    return `the model is gated: accept its conditions on ${page}, and give ${giveToken} of an account that has`;
  switch (status) {
    case 401:
      return token === undefined
        ? `there is no public model ${repository} on ${endpoint}: look at the name; if it is private or gated, give ${giveToken}`
        : `${endpoint} does not accept the token of HF_TOKEN for ${repository}: look at the name and at the token (${endpoint}/settings/tokens)`;
    case 403:
      return `${endpoint} does not let ${token === undefined ? 'everybody' : 'this token'} read ${repository}: see ${page}, and give ${giveToken} that may read it`;
    case 404:
      return code === 'RevisionNotFound'
        ? `the model has no revision ${revision}: ${page}/tree/main lists its branches and tags`
        : `there is no model ${repository} on ${endpoint}: look at the name`;
    case 429:
      return `${endpoint} is asked too often${waitSeconds === undefined ? '' : ` (it says to wait ${waitSeconds} s)`}: try again later, or with ${giveToken}`;
    default:
      return status >= 500
        ? `${endpoint} answered ${status}: try again later; what was fetched so far is kept`
        : `expected files from ${endpoint}, got the answer ${status}`;
  }
}
