import { FormatError } from '../file/format-error';
import { type Checkpoint, shown } from './checkpoint';
import type { Naming } from './naming';
import type { ImportOptions, Reading } from './reading';

/**
 * Classes of a classifier stored [K, D], or of the fresh one that was asked for.
 * @throws {FormatError} when there is neither.
 */
export function classesOf({ file, tensors }: Checkpoint, name: string, { newHead }: ImportOptions): number {
  if (newHead !== undefined) return newHead.classes;
  const classifier = tensors.get(name);
  const [classes] = classifier?.shape ?? [];
  if (classes !== undefined && classes > 0) return classes;
  throw new FormatError(
    `${file}: expected a classifier ${name} with a row per class, got ${shown(classifier)}; ` +
      'the option `newHead` starts a fresh one',
  );
}

const HEADS = ['head.weight', 'head.bias', 'distillationHead.weight', 'distillationHead.bias'];

/** What a vision transformer does without: poolers, and its classifiers where fresh ones were asked for. */
export function leftOutOfClassifier(naming: Naming, { newHead }: ImportOptions): Reading['leftOut'] {
  const heads = HEADS.map((path) => naming(path).name);
  return (name) => {
    if (/(^|\.)pooler\.dense\./.test(name)) return 'the classifier reads the class token, not the pooler';
    if (newHead !== undefined && heads.includes(name)) return 'a fresh classifier was asked for';
    return undefined;
  };
}
