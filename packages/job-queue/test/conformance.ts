import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError } from '@winnow/core';
import fc from 'fast-check';
import { type Execute, JobBusy, JobFailed, type JobQueue } from '../src/index';

/** A queue with somebody who works on it, two jobs at a time. */
export interface Subject {
  readonly queue: JobQueue;
  stop(): Promise<void>;
}
export type MakeSubject = (execute: Execute, signal: AbortSignal) => Promise<Subject>;

export const CONCURRENCY = 2;
/** How long a subject waits before it tries a job again that somebody else was at. */
export const BUSY_MS = 50;

/** Describes the laws that hold for every queue. */
export function describeQueue(name: string, make: MakeSubject, numRuns: number): void {
  const withQueue = async (execute: Execute, work: (queue: JobQueue) => Promise<void>): Promise<void> => {
    const { queue, stop } = await make(execute, new AbortController().signal);
    try {
      await work(queue);
    } finally {
      await stop();
    }
  };

  describe(name, () => {
    it('does every job once, however often it is asked for, some at a time, and a failed one stops no other', async () => {
      const asked = fc.array(fc.nat(7), { minLength: 1, maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(asked, fc.uniqueArray(fc.nat(7)), async (ids, failing) => {
          const begun: string[] = [];
          let running = 0;
          let most = 0;
          const execute: Execute = async (id) => {
            begun.push(id);
            most = Math.max(most, ++running);
            await delay(5);
            running--;
            if (failing.includes(Number(id))) throw new Error(`${id} cannot`);
          };
          await withQueue(execute, async (queue) => {
            const ends = await Promise.allSettled(ids.map((id) => queue.submit(String(id))));
            ends.forEach((end, place) => {
              const id = ids[place] ?? -1;
              expect(end.status).toBe(failing.includes(id) ? 'rejected' : 'fulfilled');
              if (end.status !== 'rejected') return;
              expect(end.reason).toBeInstanceOf(JobFailed);
              expect(end.reason).toMatchObject({ message: `${id} cannot` });
            });
          });
          expect([...begun].sort()).toEqual([...new Set(ids.map(String))].sort());
          expect(most).toBeLessThanOrEqual(CONCURRENCY);
        }),
        { numRuns },
      );
    });

    it('puts a job back that somebody else is at, and does the others meanwhile', async () => {
      const begun: string[] = [];
      const execute: Execute = (id) => {
        begun.push(id);
        const times = begun.filter((each) => each === id).length;
        return id === 'busy' && times < 3 ? Promise.reject(new JobBusy('it is busy')) : Promise.resolve();
      };
      await withQueue(execute, async (queue) => {
        await Promise.all(['busy', 'a', 'b', 'c', 'd'].map((id) => queue.submit(id)));
      });
      expect(begun.filter((id) => id === 'busy')).toHaveLength(3);
      expect(begun.indexOf('d')).toBeLessThan(begun.lastIndexOf('busy'));
    });

    it.each(['', '../../x/victim', '/etc/passwd', 'a b', 'a\u001b[31m', 'a\nb', 'x'.repeat(65)])(
      'takes no id that could mean something elsewhere: %j',
      async (id) => {
        const begun: string[] = [];
        const execute: Execute = (id) => {
          begun.push(id);
          return Promise.resolve();
        };
        await withQueue(execute, async (queue) => {
          await expect(queue.submit(id)).rejects.toThrow(RangeError);
        });
        expect(begun).toEqual([]);
      },
    );

    it('stops waiting at the signal', async () => {
      const controller = new AbortController();
      const execute: Execute = async (_id, signal) => {
        controller.abort();
        await delay(60_000, undefined, { signal });
      };
      const { queue, stop } = await make(execute, controller.signal);
      const ends = await Promise.allSettled(['a', 'b', 'c'].map((id) => queue.submit(id)));
      await stop();
      for (const end of ends)
        expect(end).toMatchObject({ status: 'rejected', reason: expect.any(InterruptedError) });
    });
  });
}
