import { FormatError } from '../file/format-error';
import { type Checkpoint, shown } from '../checkpoint/checkpoint';
import type { ImportOptions, NewHead, Reading } from './layout';
import type { Naming } from './naming';

/** A classifier's classes, and where it comes from. */
export interface Classifier {
  readonly classes: number;
  /** Set for one that is drawn anew: the checkpoint's own, if it has one, is left out. */
  readonly fresh: NewHead | undefined;
}

/**
 * The classifier stored [K, D] under a name, or the fresh one that was asked for.
 * @throws {FormatError} when there is neither.
 */
export function classifierOf(
  { file, tensors }: Checkpoint,
  name: string,
  { newHead, missingHead }: ImportOptions,
): Classifier {
  const stored = tensors.get(name);
  const fresh = newHead ?? (stored === undefined ? missingHead : undefined);
  if (fresh !== undefined) return { classes: fresh.classes, fresh };
  const [classes] = stored?.shape ?? [];
  if (classes !== undefined && classes > 0) return { classes, fresh };
  throw new FormatError(
    `${file}: expected a classifier ${name} with a row per class, got ${shown(stored)}; a fresh one is started by ` +
      'winnow train --from … --head new (the option `newHead`)',
  );
}

const HEADS = ['head', 'distillationHead'];

/**
 * Says why a vision transformer does without some tensors: poolers, and its classifiers where fresh ones were asked
 * for.
 */
export function leftOutOfClassifier(
  naming: Naming,
  { fresh }: Classifier,
  parts: readonly string[] = HEADS,
): Reading['leftOut'] {
  const heads = parts.flatMap((part) => ['weight', 'bias'].map((leaf) => naming(`${part}.${leaf}`).name));
  return (name) => {
    if (/(^|\.)pooler\.dense\./.test(name)) return 'the classifier reads the class token, not the pooler';
    if (fresh !== undefined && heads.includes(name)) return 'a fresh classifier was asked for';
    return undefined;
  };
}
