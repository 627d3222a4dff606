/**
 * Times ours and PyTorch in turn: dense training steps, inference, steps of the searches. `npm run bench` sets up first.
 *
 *   node tools/bench/bench.mjs [--model nano,tiny,deit-s,dinov2-s,dinov2-s-112,clip-b,nano-pairs,tiny-pairs,nano-mdetr,nano-blip] [--precision f32|bf16|all]
 *     [--cut dense,2x,4x,2x-upop,4x-upop] [--what train,infer,search,align,structure,ticket,masked]
 *     [--engine torch] [--rounds 5] [--steps N] [--threads N] [--batch-size 1,32] [--device cuda] [--json FILE]
 *     [--python python3] [--fused-peers] [--eager-peers] [--cast-peers] [--no-peers] [--patience SECONDS]
 *
 * --python names an interpreter that has PyTorch, instead of the one that is installed for this; on a GPU it is needed.
 * --fused-peers leaves out the variants of PyTorch with attention written out, and AdamW over lists. --eager-peers
 * leaves out those that it compiles first, --cast-peers in bf16 those whose weights are cast anew for each product (autocast). --json adds all results to a file, as they come. --patience gives up a contender whose
 * answer takes longer, and says where it was.
 *
 * Every contender runs in a process of its own, one of them at a time. Tables go to stdout, progress to stderr.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { availableEngines } from '../../packages/engine/dist/index.js';
import { providePyTorch } from '../peers/provision.mjs';
import { compare } from './compare.mjs';
import { matrixProductPeak, ours, peer, peerVariants } from './contenders.mjs';
import { flagsOf } from './flags.mjs';
import { benchModels } from './models.mjs';
import { tablesOf } from './report.mjs';

// Its workers end with it, however it ends; each of them listens.
process.setMaxListeners(0);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

const flags = flagsOf(process.argv.slice(2));
const engines = flags.engines ?? [(await availableEngines()).find(({ available }) => available).name];
const threads = flags.threads ?? availableParallelism();
const python = flags.peers ? pythonOrReason() : undefined;

console.log(`${threads} threads, ${cpus()[0]?.model}, Node ${process.version}\n`);
for (const precision of flags.precisions) {
  const peak =
    python === undefined
      ? undefined
      : await matrixProductPeak(python, {
          precision,
          threads,
          device: flags.device,
          patienceMs: flags.patienceMs,
        });
  for (const { model, cut, sizes } of settings()) {
    const results = [];
    const whats = flags.whats.filter((what) => sizes.whats.includes(what));
    // Steps that are only compared with one another take turns; where PyTorch's many variants stand beside them, memory
    // would not hold the processes of all of them at once.
    for (const group of sizes.hasPeers ? whats.map((what) => [what]) : [whats]) {
      console.error(`${model}, ${cut}, batch ${sizes.batchSize}, ${precision}, ${group.join(', ')}`);
      const contenders = group.flatMap((what) => contendersFor({ sizes, precision, what }));
      const steps = flags.steps ?? sizes.steps;
      const found = await compare(contenders, { sizes, rounds: flags.rounds, steps });
      results.push(...found);
      if (flags.json !== undefined)
        keep({ model, cut, precision, batchSize: sizes.batchSize, threads, peak }, found);
    }
    console.log(`${tablesOf({ model, cut, batchSize: sizes.batchSize, precision, peak, results })}\n`);
  }
}

/** Every model in every cut at every batch that is asked for; two towers are cut by nobody here. */
function settings() {
  return flags.models.flatMap((model) =>
    flags.cuts.flatMap((cut) =>
      flags.batchSizes.flatMap((batchSize = benchModels[model].batchSize) =>
        cut === 'dense' || benchModels[model].text === undefined
          ? [{ model, cut, sizes: { ...benchModels[model], batchSize, cut } }]
          : [],
      ),
    ),
  );
}

function contendersFor({ sizes, precision, what }) {
  const { device, patienceMs } = flags;
  const setting = { sizes, precision, what, threads, device, patienceMs };
  const peers = hasPeers(sizes, what) ? peerVariants(precision, what, flags.peerChoice) : [];
  return [
    ...engines.map((engine) => ours(engine, setting)),
    ...peers.map((variant) => peer(python, variant, setting)),
  ];
}

/** PyTorch is asked for what it has been written for. */
function hasPeers(sizes, what) {
  return python !== undefined && sizes.hasPeers && ['train', 'infer', 'search'].includes(what);
}

/** Adds results to the file of all of them. */
function keep(setting, results) {
  const before = existsSync(flags.json) ? JSON.parse(readFileSync(flags.json, 'utf8')) : [];
  const added = results.map((result) => ({ ...setting, device: flags.device ?? 'cpu', ...result }));
  writeFileSync(flags.json, `${JSON.stringify([...before, ...added], null, 1)}\n`);
}

function pythonOrReason() {
  if (flags.python !== undefined) return flags.python;
  const isOnProcessor = flags.device === undefined || flags.device === 'cpu';
  const missing = 'PyTorch on a GPU is compared with where --python names an interpreter that has it';
  const provided = isOnProcessor ? providePyTorch() : { reason: missing };
  if (provided.python === undefined) console.error(provided.reason);
  return provided.python;
}
