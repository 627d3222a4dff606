import { writeAtomically } from '@winnow/formats';
import { planPage } from '@winnow/report';
import { hardware } from '../comparison/environment';
import { pathOption } from '../options/path';
import { version } from '../version';
import type { PlannedModel } from './planned-model';

/** The page that a plan is written to, as an option. Its name is looked at so that no model is written over. */
export const planFileShape = {
  page: pathOption('output')
    .regex(/\.html?$/i, 'expected a file whose name ends in .html')
    .optional()
    .describe('Also write it as a page, with plots'),
};

/**
 * Writes a plan as one page that opens from disk.
 * @param command The command that made it.
 * @throws {FormatError} when the file cannot be written.
 */
export async function writePlan(file: string, plan: PlannedModel, command: string): Promise<void> {
  const { data, split, examples, calibration, metric, dense, built, latencyOff, ledger } = plan;
  const scoreOf = (scores: Readonly<Record<string, number>>): number => scores[metric] ?? Number.NaN;
  const seconds = ledger.reduce((sum, { wallMs }) => sum + wallMs, 0) / 1000;
  await writeAtomically(
    file,
    planPage({
      title: `${plan.model} on ${data}, planned`,
      summary: `Smaller without training: errors estimated from ${calibration} examples, ${built.length} models built`,
      remarks: [],
      command,
      config: '',
      environment: [
        ['This machine', hardware()],
        ['Winnow', version()],
        ['Looks at examples', `${seconds.toFixed(1)} s`],
      ],
      metric,
      budgetUnit: plan.budgetUnit,
      scoredOn: `${split}, ${examples} examples`,
      dense: { ...dense, score: scoreOf(dense.scores) },
      front: plan.front,
      built: built.map((model) => ({ ...model, score: scoreOf(model.scores) })),
      latencyOff,
    }),
  );
}
