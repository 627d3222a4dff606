import type { PageData } from '../page-data';
import type { PlanPageData } from '../plan-data';
import type { RunPageData } from '../run-data';
import type { SparsityPageData } from '../sparsity-data';

type AnyPageData =
  | ({ readonly kind: 'run' } & RunPageData)
  | ({ readonly kind: 'comparison' } & PageData)
  | ({ readonly kind: 'sparsity' } & SparsityPageData)
  | ({ readonly kind: 'plan' } & PlanPageData)
  | { readonly kind: 'proof' };

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

/** A labelled choice; the first is chosen. Where there is only one there is nothing to choose. */
export function choice<Option extends string>(
  parent: HTMLElement,
  label: string,
  options: readonly Option[],
  onChange: () => void,
): () => Option {
  const [first] = options;
  if (first === undefined) throw new Error(`the page has nothing to choose as ${label}`);
  const select = document.createElement('select');
  for (const text of options) select.append(new Option(text, text));
  select.addEventListener('change', onChange);
  if (options.length > 1) {
    const wrapper = document.createElement('label');
    wrapper.append(label, select);
    parent.append(wrapper);
  }
  return () => options[select.selectedIndex] ?? first;
}

export const distinct = <Value>(values: readonly Value[]): Value[] => [...new Set(values)];
