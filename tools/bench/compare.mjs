import { operationsPerImage } from './models.mjs';

/** First steps pay for compilers, copies and kernels' first use; the ones after them for memory that is asked for. */
const WARM_UP_STEPS = 3;

/**
 * Contenders in turn, round by round, so that whatever else the machine does meets all of them; medians over all steps.
 * @returns a result for each; `error` where it does not work here.
 */
export async function compare(contenders, { sizes, rounds, steps }) {
  const running = contenders.map((contender) => ({ ...contender, times: [] }));
  const working = () => running.filter(({ error }) => error === undefined);
  const take = async (contender, count) => {
    try {
      const { ms, peakMib, devicePeakMib } = await contender.take(count);
      Object.assign(contender, { peakMib, devicePeakMib });
      return ms;
    } catch (error) {
      contender.error = error.message;
      console.error(`  ${contender.name}: does not work here: ${error.message}`);
      return [];
    }
  };
  try {
    for (const contender of running) {
      const times = await take(contender, WARM_UP_STEPS);
      if (times.length > 0)
        console.error(`  ${contender.name}, ${contender.what}: ready, first step ${times[0].toFixed(0)} ms`);
    }
    for (let round = 0; round < rounds; round++) {
      for (const contender of working()) contender.times.push(...(await take(contender, steps)));
      console.error(`  round ${round + 1} of ${rounds}`);
    }
  } finally {
    await Promise.all(running.map(({ close }) => close()));
  }
  return running.map((contender) => resultOf(contender, sizes));
}

function resultOf({ name, what, kind, error, times, peakMib, devicePeakMib }, sizes) {
  if (error !== undefined) return { name, kind, what, error };
  const ms = median(times);
  const imagesPerSecond = (1000 * sizes.batchSize) / ms;
  const gflops = (imagesPerSecond * operationsPerImage(sizes, what)) / 1e9;
  return { name, kind, what, ms, imagesPerSecond, gflops, peakMib, devicePeakMib };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
