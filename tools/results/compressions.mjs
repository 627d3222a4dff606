import { printTables } from './tables.mjs';

/** Dense models of several seeds, and every method of a set at every budget from each of them. */
export async function reportCompressions(set, { winnow, seeds, budgets = set.budgets, wanted }) {
  const methods = set.methods.filter((method) => wanted === undefined || wanted.includes(folderOf(method)));
  const always = ['--data', set.data, ...(set.always ?? [])];
  const train = async (seed) => ({
    seed,
    ...(await winnow('train', `seed-${seed}/dense`, ...always, '--seed', seed, ...set.train)),
  });
  const compress = async (dense, budget, method) => {
    const { name, label = name, searches, more = [], retrain = set.retrain } = method;
    const { summary } = await winnow(
      'compress',
      `seed-${dense.seed}/${budget}/${folderOf(method)}`,
      ...[...always, '--seed', dense.seed, '--from', dense.out],
      ...['--method', name, '--budget', method.budget ?? budget],
      ...(searches ? set.search : []),
      ...more,
      ...['--retrain', retrain, '--retrain-learning-rate', '5e-4'],
    );
    return { label, budget, summary, seed: dense.seed };
  };
  // No seed waits for the dense model of another.
  const ofSeeds = await Promise.all(
    seeds.map(async (seed) => {
      const dense = await train(seed);
      const runs = budgets.flatMap((budget) => methods.map((method) => compress(dense, budget, method)));
      return { dense: dense.summary, runs: await Promise.all(runs) };
    }),
  );
  printTables({
    dense: ofSeeds.map(({ dense }) => dense),
    runs: ofSeeds.flatMap(({ runs }) => runs),
    budgets,
    tables: set.tables,
    pairs: set.pairs,
  });
}

const folderOf = ({ name, folder = name }) => folder;
