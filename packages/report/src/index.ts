export type { FoundFigures, KeptCell, KeptMap, LedgerRow, PageData } from './page-data';
export { reportPage } from './report-page';
