import { FEWEST_SEEDS, pairedDifference } from '@winnow/comparison';
import { table } from '../markdown/table.mjs';

const kinds = { plain: 'Cut plainly', bias: 'Means of what is gone in the biases', bases: 'Reconstructed' };
const parts = { both: 'both', ffn: 'feed-forward', attention: 'attention' };
const names = { allocated: 'obs --scope allocated' };
const RANKERS = ['obs', 'allocated', 'taylor', 'random', 'magnitude'];

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const titled = (ranker) => `\`${names[ranker] ?? ranker}\``;

/**
 * Cells of training-free tables as Markdown: for each kind the mean scores over the draws; the points that a reconstruction gains
 * over the plain cut; and those of the first ranker's reconstructed models over the others', draw by draw.
 */
export function printTrainingFree(cells) {
  const dense = cells.find(({ ranker }) => ranker === 'dense');
  const made = cells.filter(({ kind }) => kind !== undefined);
  const rankers = RANKERS.filter((ranker) => made.some((cell) => cell.ranker === ranker));
  const scoresOf = (where) => {
    const own = made.filter((cell) => Object.entries(where).every(([key, value]) => cell[key] === value));
    return new Map(own.map(({ seed, top1 }) => [seed, top1]));
  };
  const places = [...new Set(made.map(({ removed }) => removed))]
    .sort()
    .flatMap((removed) => Object.keys(parts).map((part) => ({ removed, part })))
    .filter((place) => scoresOf(place).size > 0);
  const print = (title, columns, cellsAt) => {
    console.log(`\n${title}\n`);
    const rows = places.map((place) => [
      `${100 * place.removed} % of ${parts[place.part]}`,
      ...cellsAt(place),
    ]);
    console.log(table(['removed', ...columns], rows).join('\n'));
  };
  const draws = new Set(rankers.flatMap((ranker) => places.map((at) => scoresOf({ ...at, ranker }).size)));
  console.log(
    `Dense: ${dense.top1.toFixed(2)} of ${dense.testExamples} pictures; draws: ${[...draws].join(', ')}.`,
  );
  for (const [kind, title] of Object.entries(kinds))
    print(`${title}:`, rankers.map(titled), (place) =>
      rankers.map((ranker) => {
        const found = [...scoresOf({ ...place, ranker, kind }).values()];
        return found.length === 0 ? '' : mean(found).toFixed(1);
      }),
    );
  print('Reconstructed − cut plainly:', rankers.map(titled), (place) =>
    rankers.map((ranker) => {
      const own = { ...place, ranker };
      return difference(scoresOf({ ...own, kind: 'bases' }), scoresOf({ ...own, kind: 'plain' }), dense);
    }),
  );
  const [first, ...others] = rankers;
  const against = others.map((ranker) => `${titled(first)} − ${titled(ranker)}`);
  print('Reconstructed:', [`dense − ${titled(first)}`, ...against], (place) => {
    const best = scoresOf({ ...place, ranker: first, kind: 'bases' });
    const dearest = new Map([...best.keys()].map((seed) => [seed, dense.top1]));
    return [
      difference(dearest, best, dense),
      ...others.map((ranker) => difference(best, scoresOf({ ...place, ranker, kind: 'bases' }), dense)),
    ];
  });
}

/** The mean difference of scores by seed, with an interval where there are enough of them. */
function difference(scores, others, { testExamples }) {
  const found = pairedDifference(scores, others, { confidence: 0.95, testExamples });
  if (found === undefined) return '';
  const text = signed(found.mean);
  if (found.interval === null || found.seeds < FEWEST_SEEDS) return text;
  return `${text} (${found.interval.map(signed).join(', ')})`;
}

/** Without a sign where it rounds to 0. */
const signed = (value) => (Math.abs(value) < 0.05 ? '0.0' : value.toFixed(1).replace('-', '−'));
