import type { Progress } from '@winnow/lab';
import { barProgress } from './bars';
import { lineProgress } from './lines';
import type { Terminal } from './terminal';

/** Shows how a run goes on: by bars where a person looks, by lines in a log. */
export function progressOn({ stderr }: Pick<Terminal, 'stderr'>): Progress {
  return stderr.isTTY === true ? barProgress(stderr) : lineProgress(stderr);
}
