export type { FoundFigures, KeptCell, KeptMap, LedgerRow, PageData } from './page-data';
export { classResultsOf } from './class-results';
export type { ClassPredictions, ClassResults } from './class-results';
export { type Html, html, jsonScript } from './html';
export { style } from './style';
export type { BuiltModel, FrontPoint, PlanPageData } from './plan-data';
export { planPage } from './plan-page';
export type { ProofPageData } from './proof-data';
export { proofPage } from './proof-page';
export { reportPage } from './report-page';
export type { ChangedPicture, ChangedPictures, LossCurve, RunPageData } from './run-data';
export { runPage } from './run-page';
export type {
  ShareMatrix,
  SparsityChart,
  SparsityCurve,
  SparsityPageData,
  SparsityPoint,
} from './sparsity-data';
export { sparsityPage } from './sparsity-page';
