import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { UserError } from '@winnow/core';
import { Queue } from 'bullmq';
import { type RedisServer, redisProgram, startRedis } from '@winnow/testkit';
import { redisQueue, withPassword, workOn } from '../src/index';
import { BUSY_MS, CONCURRENCY, describeQueue } from './conformance';

if (redisProgram() === undefined) {
  test.skip('SKIPPED: there is no redis-server or valkey-server here (apt-get install redis-server)', () =>
    undefined);
} else {
  describe('on a real server', () => {
    let server: RedisServer;
    const folder = mkdtempSync(join(tmpdir(), 'winnow-queue-'));
    const log = join(folder, 'log');
    const children: ChildProcess[] = [];
    let names = 0;

    beforeAll(async () => {
      server = await startRedis();
    });
    afterEach(() => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
      rmSync(log, { force: true });
    });
    afterAll(async () => {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    });

    describeQueue(
      'jobs in Redis',
      async (execute, signal) => {
        const name = `conformance-${names++}`;
        const { url } = server;
        const stopping = new AbortController();
        const queue = await redisQueue({ url, name, signal, pollMs: 20 });
        const working = workOn({
          url,
          name,
          concurrency: CONCURRENCY,
          signal: stopping.signal,
          execute,
          busyMs: BUSY_MS,
          report: () => undefined,
        });
        return {
          queue,
          stop: async () => {
            stopping.abort();
            await working;
            await queue.close();
          },
        };
      },
      8,
    );

    const SILENCE_MS = 1500;
    /** A worker as a process of its own; its jobs log their begin, take some time and log their end. */
    const startWorker = (name: string, workMs: number): ChildProcess => {
      const program = fileURLToPath(new URL('./logging-worker.mjs', import.meta.url));
      const args = [server.url, name, log, String(workMs), String(SILENCE_MS)];
      const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
      children.push(child);
      return child;
    };
    const entries = () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .split('\n')
            .filter((line) => line !== '') // a file that was just made is empty for a moment
            .map((line) => line.split(' '))
        : [];
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await delay(20);
    };
    const jobs = Array.from({ length: 12 }, (_, index) => `j${index}`);

    test('two workers share the jobs, and never do the same one', async () => {
      const name = 'shared';
      const queue = await redisQueue({
        url: server.url,
        name,
        signal: new AbortController().signal,
        pollMs: 50,
      });
      startWorker(name, 60);
      startWorker(name, 60);
      await Promise.all(jobs.map((job) => queue.submit(job)));
      await queue.close();
      const ended = entries().filter(([what]) => what === 'end');
      expect(ended.map(([, id]) => id).sort()).toEqual([...jobs].sort());
      expect(entries().filter(([what]) => what === 'begin')).toHaveLength(jobs.length);
      expect(new Set(ended.map(([, , pid]) => pid)).size).toBe(2);
    });

    test('the jobs of a worker that dies are taken over', async () => {
      const name = 'dying';
      const queue = await redisQueue({
        url: server.url,
        name,
        signal: new AbortController().signal,
        pollMs: 50,
      });
      const first = startWorker(name, 60_000);
      const [job] = jobs;
      if (job === undefined) throw new Error('expected a job');
      const done = queue.submit(job);
      await until(() => entries().length === 1);
      first.kill('SIGKILL');
      const second = startWorker(name, 10);
      await done;
      await queue.close();
      expect(entries()).toEqual([
        ['begin', job, String(first.pid)],
        ['begin', job, String(second.pid)],
        ['end', job, String(second.pid)],
      ]);
    });

    test('a worker that was only silent gives its job up, fails nothing, and does the next one', async () => {
      const name = 'silent';
      const { url } = server;
      const queue = await redisQueue({ url, name, signal: new AbortController().signal, pollMs: 50 });
      const first = startWorker(name, 60_000);
      const done = queue.submit('a');
      await until(() => entries().length === 1);
      first.kill('SIGSTOP');
      const second = startWorker(name, 10);
      await until(() => entries().length === 3);
      await done;
      second.kill('SIGKILL');
      first.kill('SIGCONT');
      const next = queue.submit('b');
      await until(() => entries().length === 4);
      expect(entries()).toEqual([
        ['begin', 'a', String(first.pid)],
        ['begin', 'a', String(second.pid)],
        ['end', 'a', String(second.pid)],
        ['begin', 'b', String(first.pid)],
      ]);
      first.kill('SIGKILL');
      startWorker(name, 10);
      await next;
      const bull = new Queue(name, { connection: { url } });
      expect(await bull.getFailedCount()).toBe(0);
      await bull.close();
      await queue.close();
    });

    test('what somebody else puts into the queue is refused where it is no id, and read no further', async () => {
      const name = 'hostile';
      const { url } = server;
      const stopping = new AbortController();
      const [begun, told]: [string[], string[]] = [[], []];
      const bull = new Queue(name, { connection: { url } });
      const payload = { command: 'train', options: { out: '/tmp/x' } };
      const hostile = [
        '../../../x/victim',
        '/etc/passwd',
        'a\u001b]0;x\u0007',
        5,
        null,
        { id: 'a' },
        'x'.repeat(999),
      ];
      for (const id of hostile) await bull.add('run', { id, payload });
      await bull.add('run', 'not even a record');
      await bull.add('run', { id: 'known', payload });
      const working = workOn({
        url,
        name,
        concurrency: 1,
        signal: stopping.signal,
        execute: (...given) => {
          const [id] = given;
          begun.push(id);
          expect(given).toEqual(['known', expect.any(AbortSignal)]);
          return Promise.resolve();
        },
        report: (text) => told.push(text),
      });
      while ((await bull.getFailedCount()) < hostile.length + 1 || begun.length === 0) await delay(20);
      stopping.abort();
      await working;
      await bull.close();
      expect(begun).toEqual(['known']);
      expect(told.join('\n')).not.toMatch(/victim|passwd|\u001b/);
    });

    test('a server that dies and comes up empty loses no job', async () => {
      const name = 'forgetful';
      const queue = await redisQueue({
        url: server.url,
        name,
        signal: new AbortController().signal,
        pollMs: 50,
      });
      startWorker(name, 100);
      const all = Promise.all(jobs.map((job) => queue.submit(job)));
      await until(() => entries().length >= 4);
      await server.kill();
      appendFileSync(log, 'killed - -\n');
      await delay(300);
      await server.start();
      await all;
      await queue.close();
      const ended = entries()
        .filter(([what]) => what === 'end')
        .map(([, id]) => id);
      expect([...new Set(ended)].sort()).toEqual([...jobs].sort());
    });

    test('a password comes from the address or from beside it, and is never shown', async () => {
      const guarded = await startRedis('pa/ss@word:1');
      const signal = new AbortController().signal;
      try {
        const queue = await redisQueue({
          url: withPassword(guarded.url, 'pa/ss@word:1'),
          name: 'guarded',
          signal,
        });
        await queue.close();
        const wrong = redisQueue({
          url: guarded.url.replace('//', '//default:wrong-one@'),
          name: 'guarded',
          signal,
        });
        await expect(wrong).rejects.toThrow(
          /the server at redis:\/\/default:\*\*\*@.* does not let us in \(.*WRONGPASS/,
        );
        await expect(wrong).rejects.not.toThrow(/wrong-one/);
      } finally {
        await guarded.kill();
      }
    });

    test.each(['localhost:6379', 'http://localhost', 'redis://127.0.0.1:1'])(
      'no server at %s is the user’s mistake',
      async (url) => {
        const asked = redisQueue({ url, name: 'none', signal: new AbortController().signal });
        await expect(asked).rejects.toThrow(UserError);
        await expect(asked).rejects.toThrow(
          /expected an address like redis|no Redis or Valkey server answers/,
        );
      },
    );
  });
}
