/**
 * Those that no other one is better than without costing more (the Pareto front): of two with the same score the cheaper
 * one, of two with the same cost the better one; equals stay together. In the order they were given.
 */
export function frontOf<Item>(
  items: readonly Item[],
  { score, cost }: { score(item: Item): number; cost(item: Item): number },
): Item[] {
  return items.filter((item) =>
    items.every((other) => {
      const isNoWorse = score(other) >= score(item) && cost(other) <= cost(item);
      const isBetter = score(other) > score(item) || cost(other) < cost(item);
      return !(isNoWorse && isBetter);
    }),
  );
}
