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

/** Points that a reconstruction gains over the plain cut on the same seeds, with an interval where there are enough of them. */
function gain(cells, { testExamples }) {
  const scoresOf = (wanted) =>
    new Map(cells.filter(({ kind }) => kind === wanted).map(({ seed, top1 }) => [seed, top1]));
  const found = pairedDifference(scoresOf('bases'), scoresOf('plain'), { confidence: 0.95, testExamples });
  if (found === undefined) return '';
  const text = found.mean.toFixed(1);
  if (found.interval === null || found.seeds < FEWEST_SEEDS) return text;
  return `${text} (${found.interval.map((end) => end.toFixed(1)).join(', ')})`;
}
