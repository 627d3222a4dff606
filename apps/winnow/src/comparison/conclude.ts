import { denseRowsOf, tablesOf } from '@winnow/comparison';
import { writeAtomically } from '@winnow/formats';
import { reportPage } from '@winnow/report';
import { comparisonReport } from '../report/comparison-report';
import { remarked } from '../report/remarks';
import { exportResults } from '../results/export';
import { type OpenedComparison, openComparison } from './open-comparison';
import { comparisonPage } from './page';

/** The page in a run's or a comparison's folder. */
export const PAGE_FILE = 'report.html';

/**
 * Writes down what a comparison has found so far: database, CSV, JSON and the page. An engine must be running.
 * @returns the text for the terminal, and where the page is.
 */
export async function conclude(
  path: string,
): Promise<{ text: string; page: string; opened: OpenedComparison }> {
  const opened = await openComparison(path);
  const { folder, plan, outcomes, remarks } = opened;
  const { confidence } = plan.config;
  const missing = await exportResults(outcomes, confidence, (name) => folder.file(name));
  const page = folder.file(PAGE_FILE);
  const content = await comparisonPage(opened);
  await writeAtomically(page, reportPage(content));
  const tables = comparisonReport(tablesOf(outcomes, confidence), denseRowsOf(outcomes), content.failures);
  const notes = missing.map(
    (file) => `\n${file} is not written: DuckDB (@duckdb/node-api) is not installed here.`,
  );
  const text = [tables, ...notes].join('');
  return { text: remarked(text, remarks), page, opened };
}
