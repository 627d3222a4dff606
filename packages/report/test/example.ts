import { type Measurement, type Outcomes, denseRowsOf, tablesOf } from '@winnow/comparison';
import { type PageData, type RunPageData, type SparsityPageData, classResultsOf } from '../src/index';

/** A comparison that looks like one, of made-up numbers: two budgets, two tracks, controls, a failure, odd names. */
export function exampleData(): PageData {
  const outcomes = exampleOutcomes();
  const places = outcomes.measurements.filter(({ seed }) => seed === 1);
  return {
    title: 'Comparison: <example> & more',
    summary: 'A page of made-up numbers',
    remarks: [],
    command: 'winnow compare quick --out runs/quick',
    config: 'name: example\nbudgets: [2x, 4x]\n',
    environment: [
      ['Engine', 'made up'],
      ['Hardware', '2 × thought'],
    ],
    confidence: 0.95,
    budgetUnit: 'compressible-parameters',
    dense: denseRowsOf(outcomes),
    tables: tablesOf(outcomes, 0.95),
    failures: outcomes.failures,
    ledger: places.map(({ workload, track, budget, label, ledger }) => ({
      workload,
      track,
      budget,
      label,
      seeds: 3,
      phases: ledger,
    })),
    kept: places.map(({ workload, track, budget, label }, place) => ({
      workload,
      track,
      budget,
      label,
      seeds: 3,
      cells: ['vision attention', 'vision ffn'].flatMap((component, row) =>
        [0, 1, 2, 3].map((layer) => ({
          component,
          layer,
          kept: ((place * 7 + row * 3 + layer * 5) % 10) / 10,
          borrowed: label === 'sharing' ? 0.1 : 0,
        })),
      ),
    })),
    figures: [
      {
        title: 'sharing, emoji, 2x, seed 1',
        findings: {
          evolution: [
            { epoch: 1, borrowed: 0.1, pruned: 0.2 },
            { epoch: 2, borrowed: 0.2, pruned: 0.3 },
          ],
          subLayers: [
            { id: 'vision.blocks.0.attention', tower: 'vision', layer: 0, borrowed: 0.3, pruned: 0.1 },
            { id: 'text.blocks.0.ffn', tower: 'text', layer: 0, borrowed: 0.5, pruned: 0.2 },
          ],
          distances: {
            pruned: { selected: 0.1, others: 0.4 },
            acrossLayers: { selected: 0.2, others: null },
          },
        },
      },
    ],
  };
}

const methods = ['upop', 'sharing', '</script><b>odd</b>', 'random'] as const;

export function exampleOutcomes(): Outcomes {
  const seeds = [1, 2, 3];
  const measurements = (['equal-compute', 'recommended'] as const).flatMap((track) =>
    ['2x', '4x'].flatMap((budget, smaller) =>
      methods.flatMap((label, place) =>
        seeds
          .filter(() => !(label === 'sharing' && budget === '4x'))
          .map((seed): Measurement => {
            const score = 80 - 9 * smaller - 4 * place + (seed % 3) + (track === 'recommended' ? 1 : 0);
            const size = 400_000 / (smaller + 1) + 500 * place;
            return {
              workload: 'emoji',
              track,
              label,
              method: label,
              isControl: label === 'random',
              budget,
              seed,
              learningRate: 5e-4,
              job: `${track}-${budget}-${place}-${seed}`,
              metric: 'top1',
              testExamples: 10_000,
              masked: { top1: score - 8 },
              cut: { top1: score - 8, top5: 90 },
              retrained: { top1: score, top5: 95 },
              trainingMacs: 3e12 + place * 1e11,
              wallMs: 60_000,
              ledger: [
                {
                  phase: 'search',
                  steps: 100,
                  examples: 6400,
                  trainingMacs: 2e12,
                  wallMs: 40_000,
                  peakMemoryBytes: 3e8,
                },
                { phase: 'retrain', steps: 100, examples: 6400, trainingMacs: 1e12, wallMs: 20_000 },
              ],
              parameters: Math.round(size),
              macs: size * 20,
              bytes: Math.round(size * 4),
              latencies: [
                { batchSize: 1, p50Ms: 1.2 - 0.3 * smaller, p95Ms: 1.5 },
                { batchSize: 32, p50Ms: 20 - 5 * smaller, p95Ms: 25 },
              ],
            };
          }),
      ),
    ),
  );
  return {
    dense: seeds.map((seed) => ({
      job: `dense-${seed}`,
      workload: 'emoji',
      seed,
      metric: 'top1',
      testExamples: 10_000,
      scores: { top1: 82 + seed / 2, top5: 97 },
      trainingMacs: 9e12,
      ledger: [],
      parameters: 800_000,
      macs: 16e6,
      bytes: 3_200_000,
      latencies: [{ batchSize: 1, p50Ms: 1.6, p95Ms: 2 }],
    })),
    measurements,
    failures: [
      {
        job: 'x',
        workload: 'emoji',
        seed: 2,
        what: 'sharing, 4x, equal-compute',
        message: 'a budget of 25 % cannot be reached & <more>',
        point: {
          workload: 'emoji',
          track: 'equal-compute',
          label: 'sharing',
          method: 'sharing',
          isControl: false,
          budget: '4x',
          seed: 2,
          learningRate: 5e-4,
        },
      },
    ],
  };
}

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A compression that looks like one, of made-up numbers: thirty classes with odd names. */
export function exampleRun(): RunPageData {
  const { dense, tables, environment, command, config, kept, figures } = exampleData();
  const [model] = dense;
  const [row] = tables[0]?.rows ?? [];
  if (model === undefined || row === undefined) throw new Error('expected a row');
  const classNames = Array.from({ length: 30 }, (_, index) => `class <${index}> of things`);
  const labels = Array.from({ length: 300 }, (_, example) => example % 30);
  const taken = (every: number) =>
    labels.map((label, example) => (example % every === 0 ? (label + 1) % 30 : label));
  const classes = classResultsOf({ classNames, labels, dense: taken(7), compressed: taken(4) });
  return {
    ...{ title: 'upop on <pictures>', summary: 'One run', remarks: [], environment, command, config },
    ...{ dense: model, smaller: row, classes, ledger: [], kept: kept.slice(0, 1), figures },
    losses: ['search', 'retrain'].map((phase) => ({
      phase,
      points: Array.from({ length: 50 }, (_, step): [number, number] => [step + 1, 3 / (step + 1)]),
    })),
    proof: {
      page: 'proof/certificate.html',
      holds: ['files', 'weights', 'widths'],
      leftOut: ['agreement', 'latency'],
    },
    changed: {
      ...{ lost: 40, gained: 7, reason: '' },
      shown: [1, 2].map((index) => ({
        source: PIXEL,
        label: `class <${index}>`,
        before: `class <${index}>`,
        after: 'another <b>',
      })),
    },
    said: [
      {
        pictures: [PIXEL, PIXEL],
        asked: 'both show a <cat>',
        ...{ right: 'true', dense: 'surely true', compressed: 'rather false' },
      },
    ],
  };
}

/** Tickets that look like some, of made-up numbers: two tasks, two controls, transfer and overlap. */
export function exampleTickets(): SparsityPageData {
  const sparsities = [0.3, 0.6, 0.9];
  const curve = (label: string, isControl: boolean, loss: number) => ({
    label,
    isControl,
    points: sparsities.map((sparsity) => {
      const mean = 60 - loss * sparsity;
      const verdict =
        mean >= 59.4 ? ('wins' as const) : mean >= 59 ? ('by its deviation' as const) : ('loses' as const);
      return { sparsity, mean, deviation: isControl ? null : 0.4, seeds: isControl ? 1 : 3, verdict };
    }),
  });
  const curves = [curve('tickets of <a>', false, 1), curve('random', true, 9), curve('shuffled', true, 20)];
  return {
    title: 'Tickets on <example> & more',
    summary: 'A page of made-up numbers',
    remarks: [],
    command: 'winnow ticket transfer --config config.json',
    config: '{}',
    environment: [['Engine', 'made up']],
    charts: ['category', 'names'].map((onto) => ({ onto, metric: 'top1', dense: 60, bar: 59.4, curves })),
    matrices: [
      {
        title: 'Transfer',
        note: 'shares of the dense score',
        rows: ['a 60 %', 'b 60 %'],
        columns: ['category', 'names'],
        shares: [
          [0.99, 1.02],
          [0.97, 0.95],
        ],
      },
      {
        title: 'Overlap',
        note: 'kept by both',
        rows: ['a', 'b'],
        columns: ['a', 'b'],
        shares: [
          [null, 0.4],
          [0.4, null],
        ],
        expected: [
          [null, 0.25],
          [0.25, null],
        ],
      },
    ],
    ledger: [{ phase: 'dense', steps: 10, examples: 640, trainingMacs: 1e9, wallMs: 1000 }],
  };
}
