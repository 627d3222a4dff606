import type { Site } from '../sites/site';

/** The linear maps of an attention, by their paths. */
export interface AttentionMaps {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** H. */
  readonly heads: number;
  /** d: dimensions of each head. */
  readonly headDim: number;
}

/** The maps of a site whose queries and keys are compared; undefined where there are none. */
export function attentionMapsOf({
  couplings,
  units,
}: Pick<Site, 'couplings' | 'units'>): AttentionMaps | undefined {
  const matrixOf = (columns: string) =>
    couplings.find((coupling) => coupling.columns === columns && coupling.axis === 1);
  const [query, key, value] = [matrixOf('query'), matrixOf('key'), matrixOf('value')];
  if (query === undefined || key === undefined || value === undefined) return undefined;
  const pathOf = ({ parameter }: { readonly parameter: string }) => parameter.replace(/\.weight$/, '');
  return {
    query: pathOf(query),
    key: pathOf(key),
    value: pathOf(value),
    heads: value.copies,
    headDim: units,
  };
}
