import { denseRowsOf, tablesOf } from '@winnow/comparison';
import { comparisonReport } from '../report/comparison-report';
import { exportResults } from '../results/export';
import { type OpenedComparison, openComparison } from './open-comparison';

/** Writes down what a comparison has found so far; the text is for the terminal. */
export async function conclude(path: string): Promise<{ text: string; opened: OpenedComparison }> {
  const opened = await openComparison(path);
  const { folder, plan, outcomes } = opened;
  const { confidence } = plan.config;
  await exportResults(outcomes, confidence, (name) => folder.file(name));
  const text = comparisonReport(tablesOf(outcomes, confidence), denseRowsOf(outcomes), outcomes.failures);
  return { text, opened };
}
