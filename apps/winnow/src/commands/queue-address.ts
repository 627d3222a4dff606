import { withPassword } from '@winnow/job-queue';

/** The variable of the environment with the password of a queue's server: a command line is there for all to see. */
export const QUEUE_PASSWORD = 'WINNOW_QUEUE_PASSWORD';

/** The address of a queue's server, with the password from the environment where the address has none. */
export const queueAddress = (url: string): string => withPassword(url, process.env[QUEUE_PASSWORD]);
