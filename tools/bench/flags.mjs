import { parseArgs } from 'node:util';
import { benchCuts, benchModels } from './models.mjs';

const options = {
  model: { type: 'string', multiple: true },
  engine: { type: 'string', multiple: true },
  precision: { type: 'string', default: 'all' },
  what: { type: 'string', multiple: true },
  rounds: { type: 'string', default: '5' },
  steps: { type: 'string' },
  threads: { type: 'string' },
  'batch-size': { type: 'string', multiple: true },
  cut: { type: 'string', multiple: true },
  device: { type: 'string' },
  'no-peers': { type: 'boolean', default: false },
  'fused-peers': { type: 'boolean', default: false },
  'eager-peers': { type: 'boolean', default: false },
  'cast-peers': { type: 'boolean', default: false },
  python: { type: 'string' },
  patience: { type: 'string' },
  json: { type: 'string' },
};

/** Reads the command line. */
export function flagsOf(args) {
  const { values } = parseArgs({ args, options });
  const number = (name) => (values[name] === undefined ? undefined : positive(name, values[name]));
  return {
    models: listOf('model', values.model ?? usualModels(), Object.keys(benchModels)),
    engines: values.engine?.flatMap((list) => list.split(',')),
    precisions: listOf('precision', values.precision === 'all' ? undefined : [values.precision], [
      'f32',
      'bf16',
    ]),
    whats: listOf('what', values.what, [
      'train',
      'infer',
      'search',
      'align',
      'structure',
      'ticket',
      'masked',
    ]),
    rounds: number('rounds'),
    steps: number('steps'),
    threads: number('threads'),
    device: values.device,
    cuts: listOf('cut', values.cut ?? ['dense'], Object.keys(benchCuts)),
    // Each model has a batch of its own where none is asked for.
    batchSizes: values['batch-size']
      ?.flatMap((list) => list.split(','))
      .map((text) => positive('batch-size', text)) ?? [undefined],
    peers: !values['no-peers'],
    peerChoice: {
      onlyFused: values['fused-peers'],
      onlyEager: values['eager-peers'],
      onlyCast: values['cast-peers'],
    },
    python: values.python,
    patienceMs: values.patience === undefined ? undefined : 1000 * number('patience'),
    json: values.json,
  };
}

const usualModels = () => Object.keys(benchModels).filter((name) => benchModels[name].isByName !== true);

function listOf(name, given, known) {
  const asked = given?.flatMap((list) => list.split(',')) ?? known;
  const unknown = asked.find((one) => !known.includes(one));
  if (unknown !== undefined) throw new Error(`--${name}: expected ${known.join(', ')}, got "${unknown}"`);
  return asked;
}

function positive(name, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name}: expected a whole number, got "${text}"`);
  return value;
}
