import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFixtures } from './fixtures.mjs';
import { kinds } from './kinds.mjs';
import { runTries } from './pool.mjs';
import { hasServer, startServer } from './queue.mjs';

const LIMITS = { cpuSeconds: 20, wallSeconds: 30, memoryBytes: 2 * 2 ** 30 };
const VERDICTS = ['accepted', 'refused', 'crash', 'hang', 'memory', 'outside'];
const FAILURES = new Set(VERDICTS.slice(2));

/** Every command on whole files: what is refused then would prove nothing. */
const wholeTries = (chosen) =>
  chosen.flatMap(({ name, commands = [name] }) =>
    commands.map((_, number) => ({ kind: name, index: -1 - number })),
  );

/** The tries of a run: every kind in turn, by its weight. */
function triesOf(chosen, count) {
  const tries = [];
  for (let round = 0; tries.length < count; round++)
    for (const { name, weight = 1 } of chosen)
      if (tries.length < count && Math.floor((round + 1) * weight) > Math.floor(round * weight))
        tries.push({ kind: name, index: round });
  return tries;
}

/**
 * Reads damaged files of the kinds that are chosen, and prints what came of it.
 * @returns {Promise<number>} how many tries failed.
 * @throws {Error} for a kind that there is not.
 */
export async function fuzzFiles({ count, index, seed, only, jobs, keep, root, print }) {
  const unknown = (only ?? []).find((name) => !kinds.some((kind) => kind.name === name));
  if (unknown !== undefined)
    throw new Error(`--only: expected ${kinds.map(({ name }) => name).join(', ')}; got ${unknown}`);
  const asked = only === undefined ? kinds : kinds.filter(({ name }) => only.includes(name));
  const chosen = hasServer() ? asked : asked.filter(({ needsServer }) => !needsServer);
  if (chosen.length < asked.length)
    print('Without redis-server or valkey-server jobs of queues are left out.');
  const fixtures = join(root, 'fixtures');
  mkdirSync(fixtures);
  await makeFixtures(fixtures, new Set(chosen.flatMap((kind) => kind.fixtures)));

  const tries =
    index === undefined
      ? [...wholeTries(chosen), ...triesOf(chosen, count)]
      : chosen.map(({ name }) => ({ kind: name, index }));
  const counts = new Map(
    chosen.map(({ name }) => [
      name,
      { ...Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])), cpuMs: 0 },
    ]),
  );
  const began = performance.now();
  let waited = 0;
  const server = chosen.some(({ needsServer }) => needsServer) ? await startServer() : undefined;
  try {
    await runTries(tries, {
      ...{ jobs, fixtures, root, seed, limits: LIMITS },
      onResult: (result, folder) => {
        const row = counts.get(result.kind);
        row[result.verdict]++;
        row.cpuMs += result.cpuMs ?? 0;
        if (index !== undefined) print(`${result.verdict}: ${result.command ?? ''}\n${result.text}`);
        if (result.isSecond && !FAILURES.has(result.verdict)) waited++;
        if (FAILURES.has(result.verdict)) keepFailure(result, { folder, keep, seed, print });
      },
    });
  } finally {
    await server?.kill();
  }
  print(tableOf(counts));
  if (waited > 0)
    print(
      `${waited} tries waited for more than ${LIMITS.wallSeconds} s, and were done at the second time of asking`,
    );
  const seconds = (performance.now() - began) / 1000;
  const failed = [...counts.values()].reduce(
    (sum, row) => sum + [...FAILURES].reduce((n, verdict) => n + row[verdict], 0),
    0,
  );
  print(
    `${tries.length} tries in ${seconds.toFixed(0)} s, seed ${seed}: ${failed} failures${failed === 0 ? '' : `, kept in ${keep}`}`,
  );
  return failed;
}

function keepFailure({ kind, index, verdict, command, file, text }, { folder, keep, seed, print }) {
  const name = `${kind.replaceAll(/[^a-z0-9.]+/gi, '-')}-${index}`;
  const into = join(keep, name);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  if (existsSync(folder)) cpSync(folder, join(into, 'case'), { recursive: true, verbatimSymlinks: true });
  const again = `npm run fuzz -- --seed ${seed} --only "${kind}" --index ${index}`;
  writeFileSync(
    join(into, 'what.txt'),
    `${verdict}\n${command ?? ''}\nchanged: ${file ?? ''}\n${text}\nagain: ${again}\n`,
  );
  print(`${verdict}: ${kind} ${index}: ${command ?? ''}: ${reasonIn(text)}`);
}

const reasonIn = (text) =>
  text.split('\n').find((line) => /Error|changed|more than|ended/.test(line)) ?? text.slice(0, 200);

function tableOf(counts) {
  const width = Math.max(...[...counts.keys()].map((name) => name.length));
  const line = (name, cells) =>
    `${name.padEnd(width)} ${cells.map((cell) => String(cell).padStart(9)).join('')}`;
  const meanMs = (row) =>
    row.cpuMs /
    Math.max(
      1,
      VERDICTS.reduce((sum, verdict) => sum + row[verdict], 0),
    );
  return [
    line('', [...VERDICTS, 'CPU ms']),
    ...[...counts].map(([name, row]) =>
      line(name, [...VERDICTS.map((verdict) => row[verdict]), meanMs(row).toFixed(0)]),
    ),
  ].join('\n');
}
