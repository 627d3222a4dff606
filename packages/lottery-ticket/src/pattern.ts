/** The pattern of a mask: none in particular, or at most `kept` of every `of` weights along the inputs. */
export interface Pattern {
  readonly kept: number;
  readonly of: number;
}

const form = /^(\d+):(\d+)$/;

/** `2:4` → at most 2 of 4; undefined for anything else, also where nothing or everything would be kept. */
export function patternOf(text: string): Pattern | undefined {
  const [, kept, of] = form.exec(text) ?? [];
  const pattern = { kept: Number(kept), of: Number(of) };
  return pattern.kept > 0 && pattern.kept < pattern.of ? pattern : undefined;
}

/**
 * Which of the weights still there are more than the pattern allows: of every `of` inputs of an output in a row, all but
 * the `kept` greatest. Ties let the earlier weight stay. A last group that is shorter keeps as many.
 * @param scores [in, out] row-major, the greater the longer a weight stays.
 * @param kept 1 for weights that are still there.
 * @returns 1 for those that are too many.
 */
export function excess(
  scores: ArrayLike<number>,
  kept: Uint8Array,
  [inputs, outputs]: readonly [number, number],
  pattern: Pattern,
): Uint8Array {
  const tooMany = new Uint8Array(inputs * outputs);
  for (let output = 0; output < outputs; output++) {
    for (let start = 0; start < inputs; start += pattern.of) {
      const there: number[] = [];
      for (let input = start; input < Math.min(inputs, start + pattern.of); input++) {
        const index = input * outputs + output;
        if (kept[index] === 1) there.push(index);
      }
      there.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
      for (const index of there.slice(pattern.kept)) tooMany[index] = 1;
    }
  }
  return tooMany;
}

/** The most of a matrix's weights that a pattern keeps. */
export function mostKept([inputs, outputs]: readonly [number, number], { kept, of }: Pattern): number {
  const whole = Math.floor(inputs / of);
  return outputs * (whole * kept + Math.min(kept, inputs % of));
}
