export type { FoundFigures, KeptCell, KeptMap, LedgerRow, PageData } from './page-data';
export { reportPage } from './report-page';
export type {
  ShareMatrix,
  SparsityChart,
  SparsityCurve,
  SparsityPageData,
  SparsityPoint,
} from './sparsity-data';
export { sparsityPage } from './sparsity-page';
