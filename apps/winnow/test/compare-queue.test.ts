import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makePictures, redisProgram, type RedisServer, startRedis } from '@winnow/testkit';
import { QUEUE_PASSWORD } from '../src/commands/queue-address';
import { finishedIn, runsIn, scoresIn, start, tinyComparison } from './comparison';
import { winnow } from './terminal';

const root = mkdtempSync(join(tmpdir(), 'winnow-queue-'));
const at = (...path: string[]) => join(root, ...path);
const compare = (out: string, ...more: string[]) => [
  ...['compare', '--config', at('tiny.json'), '--out', at(out), '--jobs', '2'],
  ...more,
];

/** Dozens of processes, on a machine that may be busy. */
const SLOW_MS = 600_000;

if (redisProgram() === undefined) {
  test.skip('SKIPPED: there is no redis-server or valkey-server here (apt-get install redis-server)', () =>
    undefined);
} else {
  describe('by workers on a real server', () => {
    let server: RedisServer;
    let whole: Record<string, unknown>;
    beforeAll(async () => {
      await makePictures(at('pictures'));
      const methods = [{ method: 'magnitude', options: { search: '0it' } }];
      const without = ['trained-on', 'magnitude', 'from-scratch'];
      writeFileSync(at('tiny.json'), JSON.stringify(tinyComparison(at('pictures'), { methods, without })));
      expect((await winnow(compare('local'))).code).toBe(0);
      whole = scoresIn(at('local'));
      // All processes of the test have the password from their environment.
      process.env[QUEUE_PASSWORD] = 'hunter22@/';
      server = await startRedis('hunter22@/');
    }, SLOW_MS);
    afterAll(async () => {
      Reflect.deleteProperty(process.env, QUEUE_PASSWORD);
      await server.kill();
      await rm(root, { recursive: true, force: true });
    });

    test('stopped by Ctrl-C says how to go on, with the queue and without its password', async () => {
      const queue = server.url.replace('//', '//default:hunter22%40%2F@');
      const { code, stderr } = await winnow(compare('queued', '--queue', queue), AbortSignal.abort());
      expect(code).toBe(130);
      expect(stderr).toContain(`--queue ${server.url.replace('//', '//default:***@')}`);
      expect(stderr).not.toContain('hunter22');
      expect(readFileSync(at('queued', 'comparison.json'), 'utf8')).not.toContain('hunter22');
    });

    test(
      'a worker dies, the server dies, the comparison dies: the table is the same',
      async () => {
        const folder = at('distributed');
        const args = compare('distributed', '--queue', server.url);
        const first = start(args);
        while (runsIn(folder).length === 0 && !statSync(folder, { throwIfNoEntry: false })) await delay(20);
        while (!statSync(join(folder, 'comparison.json'), { throwIfNoEntry: false })) await delay(20);
        const worker = () => start(['worker', folder, '--queue', server.url, '--jobs', '1']);
        const [one, two] = [worker(), worker()];
        try {
          while (finishedIn(folder).length < 2) await delay(20);
          one.kill('SIGKILL');
          await server.kill();
          await server.start();
          while (finishedIn(folder).length < 4) await delay(20);
          first.kill('SIGKILL');
          const { code } = await winnow(args);
          expect(code).toBe(0);
          expect(scoresIn(folder)).toEqual(whole);
        } finally {
          for (const child of [first, one, two]) child.kill('SIGKILL');
        }
      },
      SLOW_MS,
    );
  });
}
