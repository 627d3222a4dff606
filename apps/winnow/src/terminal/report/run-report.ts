import type { BudgetUnit, Scores } from '@winnow/core';
import type { CompressSummary, Summary, TrainSummary } from '@winnow/lab';
import { bytes, count, duration, milliseconds, scoreText, table, times } from './format';

/** Describes the results of a run, for people. */
export function runReport(summary: Summary, folder: string): string {
  const body = summary.command === 'train' ? trainReport(summary) : compressReport(summary);
  const spent = summary.ledger.map(({ phase, wallMs }) => `${phase} ${duration(wallMs / 1000)}`).join(', ');
  return `${body}\nTraining time: ${spent}. The run is in ${folder}`;
}

function trainReport({ model, data }: TrainSummary): string {
  const { parameters, macs, bytes: size, latency, scores } = model;
  return table(
    ['', data.name],
    [
      ['parameters', count(parameters)],
      ['MACs', count(macs)],
      ['weights file', bytes(size)],
      ['latency p50', milliseconds(latency.p50Ms)],
      ['latency p95', milliseconds(latency.p95Ms)],
      ...Object.entries(scores).map(([name, value]) => [`test ${name}`, scoreText(name, value)]),
    ],
  );
}

function compressReport(summary: CompressSummary): string {
  const { dense, compressed, ratios, metric, method, data } = summary;
  const score = (scores: Scores) => scoreText(metric, scores[metric] ?? Number.NaN);
  const ratio = (unit: string) => times(ratios[unit] ?? Number.NaN);
  const sizes = [
    ['parameters', count(dense.parameters), count(compressed.parameters), ratio('parameters')],
    ['MACs', count(dense.macs), count(compressed.macs), ratio('macs')],
    ['weights file', bytes(dense.bytes), bytes(compressed.bytes), ratio('bytes')],
    ...(['p50Ms', 'p95Ms'] as const).map((quantile) => [
      `latency ${quantile.slice(0, 3)}`,
      milliseconds(dense.latency[quantile]),
      milliseconds(compressed.latency[quantile]),
      times(dense.latency[quantile] / compressed.latency[quantile]),
    ]),
  ];
  const quality = [
    [`${metric}, dense`, score(dense.scores), '', ''],
    [`${metric}, masked`, '', score(compressed.masked), ''],
    [`${metric}, after the cut`, '', score(compressed.cut), ''],
    ...compressed.milestones.map(({ epochs, scores }) => [
      `${metric}, after ${epochs} ep of retraining`,
      '',
      score(scores),
      '',
    ]),
    [`${metric}, retrained`, '', score(compressed.retrained), ''],
    ...Object.entries(compressed.retrained)
      .filter(([name]) => name !== metric)
      .map(([name, value]) => [
        `${name}, retrained`,
        scoreText(name, dense.scores[name] ?? Number.NaN),
        scoreText(name, value),
        '',
      ]),
  ];
  const rows = [...sizes, ...quality];
  const lines = [budgetLine(summary), ...proofLines(summary)];
  return `${table([data.name, 'dense', method.name, 'ratio'], rows)}\n${lines.join('\n')}`;
}

/** Lines about the proof of the model in ONNX Runtime. */
function proofLines({ proof }: Pick<CompressSummary, 'proof'>): string[] {
  if (proof === undefined) return [];
  if ('none' in proof) return [`Not proved in ONNX Runtime: ${proof.none}.`];
  const left = proof.leftOut.length === 0 ? '' : `; not tried: ${proof.leftOut.join(', ')}`;
  return [`Proved in ONNX Runtime: ${proof.holds.join(', ')}${left}. The certificate is ${proof.page}.`];
}

/** Descriptions of what is counted, in words that stand beside the ratios of the whole model. */
const countedBy: Readonly<Record<BudgetUnit, string>> = {
  'compressible-parameters':
    'of the parameters that can be removed (embeddings, norms and heads always stay)',
  parameters: 'of all parameters',
  macs: 'of all multiply–accumulates',
};

/** Latencies of 30 passes in turn differ by some percent from one time to the next. */
const NOISE = 1.03;

/** A budget in milliseconds, and whether it was kept. */
function latencyLine({ keep, predicted, measured }: NonNullable<CompressSummary['latencyBudget']>): string {
  const share = (part: number) => `${(100 * part).toFixed(1)} %`;
  const verdict =
    measured <= keep * NOISE
      ? 'which keeps the budget'
      : 'which misses it: uneven layers take longer than even ones, or the machine was busy; ask for less';
  return `Latency: at most ${share(keep)} of the dense model's was asked for, ${share(predicted)} predicted, ${share(measured)} measured beside it, ${verdict}.`;
}

/** The budget and how much of it was kept: its ratio is not the table's where it counts a part of the model. */
export function budgetLine({
  budget,
  latencyBudget,
  achieved,
  ratios,
}: Pick<CompressSummary, 'budget' | 'latencyBudget' | 'achieved' | 'ratios'>): string {
  const share = (kept: number) => `${(100 * kept).toFixed(2)} %`;
  const kept = achieved.total === 0 ? 1 : 1 - achieved.removed / achieved.total;
  const asked = `Budget: keep ${share(budget.keep)} ${countedBy[budget.unit]}; kept ${share(kept)}.`;
  if (latencyBudget !== undefined) return `${latencyLine(latencyBudget)}\n${asked}`;
  const isMasked = (ratios['parameters'] ?? 1) > 1.005 && Math.abs((ratios['macs'] ?? 1) - 1) < 0.005;
  return isMasked
    ? `${asked} Single weights are zero: fewer parameters are stored, and as many multiply–accumulates are computed.`
    : asked;
}
