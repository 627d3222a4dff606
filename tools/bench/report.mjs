import { table } from '../markdown/table.mjs';

const names = {
  train: 'training step',
  infer: 'inference',
  search: 'UPop search step',
  align: 'BWSP step of the weights, with R_w',
  structure: 'BWSP step of the structure',
  ticket: 'step of a ticket search under its mask',
  masked: 'training step of a masked model',
};

/** Everything that was measured of one model at one precision, as Markdown. */
export function tablesOf({ model, cut, batchSize, precision, peak, results }) {
  return [
    `### ${model}${cut === 'dense' ? '' : `, ${cut}`}, batch ${batchSize}, ${precision}`,
    '',
    ...(peak === undefined ? [] : [`Large matrix products (torch.mm): ${peak.toFixed(0)} GFLOP/s.`, '']),
    ...table(
      ['what', 'implementation', 'median ms', 'images/s', 'GFLOP/s', 'of GEMM peak', 'peak MiB'],
      results.map((result) => resultRow(result, peak)),
    ),
    ...ratioTable(results),
    ...searchTable(results),
  ].join('\n');
}

function resultRow(result, peak) {
  const start = [names[result.what], result.name];
  if (result.error !== undefined) return [...start, `does not work: ${cell(result.error)}`, '', '', '', ''];
  const { ms, imagesPerSecond, gflops, peakMib } = result;
  const share = peak === undefined ? '' : `${((100 * gflops) / peak).toFixed(0)} %`;
  return [
    ...start,
    ms.toFixed(1),
    imagesPerSecond.toFixed(imagesPerSecond < 100 ? 1 : 0),
    gflops.toFixed(0),
    share,
    peakMib.toFixed(0),
  ];
}

/** Ours against the best of PyTorch and the best of eager PyTorch: speed above 1 is ours faster, memory below 1 less. */
function ratioTable(results) {
  const rows = working(results, 'ours').flatMap((own) => {
    const peers = results.filter((other) => other.what === own.what && isPeer(other));
    const best = fastest(peers);
    if (best === undefined) return [];
    const eager = fastest(peers.filter(({ kind }) => kind === 'eager'));
    const smallest = Math.min(...peers.map(({ peakMib }) => peakMib));
    return [
      [
        names[own.what],
        own.name,
        `${speed(own, best)} (${best.name.replace('PyTorch, ', '')})`,
        eager === undefined ? '' : `${speed(own, eager)} (${eager.name.replace('PyTorch, ', '')})`,
        `${(own.peakMib / best.peakMib).toFixed(2)}`,
        `${(own.peakMib / smallest).toFixed(2)}`,
      ],
    ];
  });
  const head = ['what', 'ours', 'speed / best PyTorch', 'speed / best eager PyTorch'];
  return section([...head, 'memory / that best', 'memory / smallest PyTorch'], rows);
}

/** Tells the cost of a search step against a dense one, for everybody who did both. */
function searchTable(results) {
  const dense = new Map(
    results
      .filter(({ what, ms }) => what === 'train' && ms !== undefined)
      .map((result) => [result.name, result]),
  );
  const rows = results
    .filter(({ what, name, ms }) => !['train', 'infer'].includes(what) && ms !== undefined && dense.has(name))
    .map(({ what, name, ms }) => [name, names[what], (ms / dense.get(name).ms).toFixed(3)]);
  return section(['implementation', 'step', '/ training step'], rows);
}

const working = (results, kind) =>
  results.filter((result) => result.kind === kind && result.ms !== undefined);
const isPeer = ({ kind, ms }) => kind !== 'ours' && ms !== undefined;
const fastest = (results) => results.toSorted((a, b) => a.ms - b.ms)[0];
const speed = (own, other) => (other.ms / own.ms).toFixed(2);
const cell = (text) => text.replaceAll('|', '\\|');

const section = (head, rows) => (rows.length === 0 ? [] : ['', ...table(head, rows)]);
