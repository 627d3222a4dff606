/** Learning rate by step, counted from 0. */
export type Schedule = (step: number) => number;

export interface ScheduleOptions {
  /** Steps of linear warm-up from 0, part of the total. */
  readonly warmupSteps?: number;
}

export function constant(learningRate: number, { warmupSteps = 0 }: ScheduleOptions = {}): Schedule {
  return (step) => learningRate * warmup(step, warmupSteps);
}

/** Half a cosine from `learningRate` to `finalLearningRate` over the steps after warm-up (Loshchilov & Hutter, 2016). */
export function cosine(
  learningRate: number,
  steps: number,
  { warmupSteps = 0, finalLearningRate = 0 }: ScheduleOptions & { readonly finalLearningRate?: number } = {},
): Schedule {
  return (step) => {
    if (step < warmupSteps) return learningRate * warmup(step, warmupSteps);
    const done = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps));
    return finalLearningRate + (learningRate - finalLearningRate) * 0.5 * (1 + Math.cos(Math.PI * done));
  };
}

const warmup = (step: number, warmupSteps: number): number =>
  step < warmupSteps ? (step + 1) / warmupSteps : 1;
