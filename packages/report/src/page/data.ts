import type { PageData } from '../page-data';
import type { SparsityPageData } from '../sparsity-data';

type AnyPageData =
  ({ readonly kind: 'comparison' } & PageData) | ({ readonly kind: 'sparsity' } & SparsityPageData);

/** The data that stand in the page. */
export function pageData(): AnyPageData {
  const data: AnyPageData = JSON.parse(document.getElementById('data')?.textContent ?? '{}');
  return data;
}

export function elementById(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** A labelled choice; the first is chosen. */
export function choice(
  parent: HTMLElement,
  label: string,
  options: readonly string[],
  onChange: () => void,
): () => string {
  const wrapper = document.createElement('label');
  wrapper.append(label);
  const select = document.createElement('select');
  for (const text of options) select.append(new Option(text, text));
  select.addEventListener('change', onChange);
  wrapper.append(select);
  parent.append(wrapper);
  return () => select.value;
}

export const distinct = <Value>(values: readonly Value[]): Value[] => [...new Set(values)];
