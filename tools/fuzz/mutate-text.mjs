import yaml from 'yaml';
import { atMost, hostileTexts } from './hostile.mjs';
import { mutateTree } from './mutate-json.mjs';

const MANY = 2000;
const LONG = 300_000;

const repeated = (line, times) => line.repeat(atMost(times, line.length));
const copies = (line, times) => Array(atMost(times, line.length)).fill(line);

const lines = [
  (random, list) => list.toSpliced(random.below(list.length), 1),
  (random, list) =>
    list.toSpliced(random.below(list.length), 0, ...copies(random.pick(list), random.pick([1, 2, MANY]))),
  (random, list) => list.toReversed(),
  (random, list) => list.with(random.below(list.length), ''),
  (random, list, canary) => list.with(random.below(list.length), random.pick(hostileTexts(canary))),
  (random, list, canary) => {
    const at = random.below(list.length);
    const cells = list[at].split(/([,: ])/);
    return list.with(at, cells.with(random.below(cells.length), random.pick(hostileTexts(canary))).join(''));
  },
  (random, list) => list.with(random.below(list.length), `"${random.pick(list)}`),
  (random, list) => list.with(random.below(list.length), repeated(random.pick(list), MANY)),
  (random, list) => list.with(random.below(list.length), 'a'.repeat(LONG)),
  (_random, list) => list.map((line) => `${line}\r`),
  (_random, list) => list.map((line) => line.toUpperCase()),
];

/** Changes lines, and the cells in them. */
export function mutateLines(random, bytes, canary) {
  let list = bytes.toString('utf8').split('\n');
  for (let left = random.chance(0.7) ? 1 : 3; left > 0 && list.length > 0; left--)
    list = random.pick(lines)(random, list, canary);
  return Buffer.from(list.join('\n'));
}

const documents = [
  // A billion laughs.
  () =>
    [
      'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
      ...Array.from(
        { length: 12 },
        (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join(', ')}]`,
      ),
    ].join('\n'),
  (text) => `${text}\nself: &self [*self]\n`,
  (text) => `${text}\n<<: { seed: 3 }\n`,
  (text) => `%TAG ! tag:x,2000:\n---\n${text}`,
  (text) => `${text}\n---\n${text}`,
  (text) => `${text}\nseed: !!js/function "function () {}"\n`,
  (text) => `${text}\nseed: !!binary "AAAA"\n`,
  (text) => `${text}\nseed: 2026-01-01\n`,
  (text) => `${text}\n? [complex, key]\n: value\n`,
  (text) => `${text}\n${Array.from({ length: 20_000 }, (_, n) => `k${n}: ${n}`).join('\n')}`,
  (text) => `${text}\nout: ${'['.repeat(5000)}`,
  (text) => text.replaceAll('  ', '\t'),
  () => '- a\n- b\n',
  () => '',
  () => '~',
  () => 'text',
];

/** Changes YAML: its lines, its values, its more curious features. */
export function mutateYaml(random, bytes, canary) {
  const text = bytes.toString('utf8');
  if (random.chance(0.15)) return Buffer.from(random.pick(documents)(text));
  if (random.chance(0.25)) return mutateLines(random, bytes, canary);
  return Buffer.from(mutateTree(random, yaml.parse(text), canary));
}
