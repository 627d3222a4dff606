import { Writable } from 'node:stream';
import { jobProgress } from '../src/terminal/jobs';

function lines() {
  const written: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk.toString());
      done();
    },
  });
  return { output, written };
}

it('counts up to one number, and estimates the time that is left by the jobs that ended here', () => {
  const { output, written } = lines();
  let ms = 0;
  const progress = jobProgress(output, () => ms);
  ms = 10_000;
  // Five of six were done before: the sixth took ten seconds.
  progress.ended({ done: 6, failed: 0, all: 9 }, 'a: done');
  ms = 20_000;
  progress.ended({ done: 6, failed: 1, all: 9 }, 'b: FAILED');
  ms = 50_000;
  progress.ended({ done: 8, failed: 1, all: 9 }, 'c: done');
  progress.close();
  expect(written).toEqual([
    '6/9 a: done; about 30.0 s left\n',
    '7/9 (1 failed) b: FAILED; about 20.0 s left\n',
    '9/9 (1 failed) c: done\n',
  ]);
});
