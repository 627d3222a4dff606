/** Numbers of which the smallest is always at hand: a binary heap. */
export interface SmallestFirst {
  /** The smallest; undefined when there is none. */
  first(): number | undefined;
  add(value: number): void;
  /** Takes the smallest away. */
  remove(): void;
}

export function smallestFirst(): SmallestFirst {
  const heap: number[] = [];
  const at = (index: number): number => heap[index] ?? Infinity;
  return {
    first: () => heap[0],
    add(value) {
      let index = heap.push(value) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (at(parent) <= value) break;
        heap[index] = at(parent);
        index = parent;
      }
      heap[index] = value;
    },
    remove() {
      const value = heap.pop();
      if (value === undefined || heap.length === 0) return;
      let index = 0;
      for (;;) {
        const left = 2 * index + 1;
        const child = at(left + 1) < at(left) ? left + 1 : left;
        if (at(child) >= value) break;
        heap[index] = at(child);
        index = child;
      }
      heap[index] = value;
    },
  };
}
