import { writeAtomically } from '@winnow/formats';
import { type PageData, reportPage } from '@winnow/report';
import { exportResults } from '../results/export';
import { type OpenedComparison, openComparison } from './open-comparison';
import { comparisonPage } from './page';

/** The page in a run's or a comparison's folder. */
export const PAGE_FILE = 'report.html';

/** The findings of a comparison, as they were written down. */
export interface ConcludedComparison {
  readonly opened: OpenedComparison;
  /** Where the page is. */
  readonly page: string;
  /** Everything that the page shows. */
  readonly content: PageData;
  /** Files that could not be written, because what writes them is not installed here. */
  readonly missing: readonly string[];
}

/** Writes down what a comparison has found so far: database, CSV, JSON and the page. An engine must be running. */
export async function conclude(path: string): Promise<ConcludedComparison> {
  const opened = await openComparison(path);
  const { folder, plan, outcomes } = opened;
  const { confidence } = plan.config;
  const missing = await exportResults(outcomes, confidence, (name) => folder.file(name));
  const page = folder.file(PAGE_FILE);
  const content = await comparisonPage(opened);
  await writeAtomically(page, reportPage(content));
  return { opened, page, content, missing };
}
