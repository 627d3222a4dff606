import { FEWEST_SEEDS, pairedDifference } from '@winnow/comparison';

const shown = { plain: 'cut plainly', bias: 'bias alone', bases: 'reconstructed' };
const named = { both: 'both', ffn: 'feed-forward', attention: 'attention' };

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Cells of a training-free table as Markdown: of each place the mean over its seeds, and pairs of kinds. */
export function printTrainingFree(cells) {
  const dense = cells.find(({ ranker }) => ranker === 'dense');
  const made = cells.filter(({ kind }) => kind !== undefined);
  const of = (key) => [...new Set(made.map((cell) => cell[key]))];
  const kinds = Object.keys(shown).filter((kind) => of('kind').includes(kind));
  const at = (where) =>
    made.filter((cell) => Object.entries(where).every(([key, value]) => cell[key] === value));
  console.log(`Dense: ${dense.top1.toFixed(2)} of ${dense.testExamples} test pictures.\n`);
  console.log(
    `| removed | of | ranker | ${kinds.map((kind) => shown[kind]).join(' | ')} | reconstructed − plain | seeds |`,
  );
  console.log(`| --- | --- | --- |${' ---: |'.repeat(kinds.length + 2)}`);
  for (const removed of of('removed').sort())
    for (const part of Object.keys(named))
      for (const ranker of of('ranker')) {
        const own = kinds.map((kind) => at({ removed, part, ranker, kind }));
        if (own.every((found) => found.length === 0)) continue;
        const scores = own.map((found) =>
          found.length === 0 ? '' : mean(found.map(({ top1 }) => top1)).toFixed(2),
        );
        const seeds = own.map((found) => found.length);
        const texts = [`${100 * removed} %`, named[part], `\`${ranker}\``, ...scores];
        console.log(
          `| ${[...texts, gain(at({ removed, part, ranker }), dense), [...new Set(seeds)].join(' / ')].join(' | ')} |`,
        );
      }
}

/** Points of the best ranker's reconstructed models over those of the others, on the same seeds. */
export function printRankers(cells) {
  const dense = cells.find(({ ranker }) => ranker === 'dense');
  const made = cells.filter(({ kind }) => kind === 'bases');
  const rankers = [...new Set(made.map(({ ranker }) => ranker))];
  const [first, ...others] = rankers;
  console.log(
    `\n| removed | of | dense − \`${first}\` | ${others.map((own) => `\`${first}\` − \`${own}\``).join(' | ')} |`,
  );
  console.log(`| --- | --- |${' ---: |'.repeat(rankers.length)}`);
  for (const removed of [...new Set(made.map((cell) => cell.removed))].sort())
    for (const part of Object.keys(named)) {
      const own = made.filter((cell) => cell.removed === removed && cell.part === part);
      if (own.length === 0) continue;
      const scoresOf = (ranker) =>
        new Map(own.filter((cell) => cell.ranker === ranker).map(({ seed, top1 }) => [seed, top1]));
      const best = scoresOf(first);
      const densest = new Map([...best.keys()].map((seed) => [seed, dense.top1]));
      const texts = [
        difference(densest, best, dense),
        ...others.map((ranker) => difference(best, scoresOf(ranker), dense)),
      ];
      console.log(`| ${[`${100 * removed} %`, named[part], ...texts].join(' | ')} |`);
    }
}

/** Points that a reconstruction gains over the plain cut on the same seeds. */
function gain(cells, dense) {
  const scoresOf = (wanted) =>
    new Map(cells.filter(({ kind }) => kind === wanted).map(({ seed, top1 }) => [seed, top1]));
  return difference(scoresOf('bases'), scoresOf('plain'), dense);
}

/** The mean difference of scores by seed, with an interval where there are enough of them. */
function difference(scores, others, { testExamples }) {
  const found = pairedDifference(scores, others, { confidence: 0.95, testExamples });
  if (found === undefined) return '';
  const text = found.mean.toFixed(1);
  if (found.interval === null || found.seeds < FEWEST_SEEDS) return text;
  return `${text} (${found.interval.map((end) => end.toFixed(1)).join(', ')})`;
}
