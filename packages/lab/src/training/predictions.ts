import { type Model, type TensorTree, evaluationBatches, lendRunning, predictedClasses } from '@winnow/core';
import type { Workload } from '../workload/workload';

/** Test splits of more examples have no predictions in the run folder: it is for people to look at. */
const MOST_EXAMPLES = 50_000;

/** Class indices of the test split's examples, [N] each. */
interface ClassesOfTest {
  readonly labels: number[];
  readonly predicted: number[];
}

/** The classes that a model gives the examples of the test split; undefined where it is no classification, or too large. */
export async function classesOfTest(
  { test, facts: { classes }, taskOf }: Pick<Workload, 'test' | 'facts' | 'taskOf'>,
  { model, params }: { readonly model: Model; readonly params: TensorTree },
  batchSize: number,
): Promise<ClassesOfTest | undefined> {
  if (classes === undefined || test.size === 0 || test.size > MOST_EXAMPLES) return undefined;
  const { labels, predicted } = await lendRunning(model, params, (running, own) =>
    predictedClasses(taskOf(running), own, evaluationBatches(test, batchSize), classes),
  );
  return { labels: [...labels], predicted: [...predicted] };
}

/** The classes' names, or their numbers where they have none. */
export const namesOfClasses = ({
  facts: { classes = 0 },
  classNames,
}: Pick<Workload, 'facts' | 'classNames'>) =>
  Array.from({ length: classes }, (_, index) => classNames?.[index] ?? String(index));
