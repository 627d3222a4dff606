import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PictureGeometry } from '@winnow/core';
import fc from 'fast-check';
import { DataError } from '../src/index';
import { augmentationPolicy, augmentationPresets } from '../src/augmentation/policy';
import type { Decoding } from '../src/picture/decoding';
import type { Filling } from '../src/picture/fill';
import { imageNetNormalisation } from '../src/picture/normalisation';
import type { PictureFiles } from '../src/picture/read';
import { type PictureWork, workHere } from '../src/picture/work';
import { workOnThreads } from '../src/worker/threads';
import { failureOf } from './pictures/failure';
import { picture, temporaryFolders } from './pictures/temporary';
import { threadsProgram } from './pictures/threads-program';

const temporary = temporaryFolders();
const PICTURES = 6;
let root: string;
let program: string;
const path = (at: number): string => join(root, `${at}.png`);

beforeAll(async () => {
  root = await temporary('threads');
  program = await threadsProgram(root);
  for (let at = 0; at < PICTURES; at++)
    await writeFile(
      path(at),
      await picture(20 + 7 * at, 40 - 3 * at, 11 * at)
        .png()
        .toBuffer(),
    );
});

const geometry: PictureGeometry = {
  resize: { kind: 'shortest', edge: 19 },
  interpolation: 'bicubic',
  arithmetic: 'pillow',
  halves: 'even',
};
const SCALED: Decoding = { kind: 'scaled', covers: 20, enlarge: false };
const decodings: readonly Decoding[] = [
  SCALED,
  { kind: 'scaled', covers: 16, enlarge: true, middle: 16 },
  { kind: 'framed', geometry, imageSize: 16 },
];

const fillings = fc.record({
  imageSize: fc.constant(16),
  normalisation: fc.constant(imageNetNormalisation),
  preset: fc.constantFrom(...augmentationPresets),
  seed: fc.nat(99),
  epoch: fc.nat(9),
});

describe.each([1, 2])('with %i threads', (count) => {
  const sources: readonly (PictureFiles | undefined)[] = [
    undefined,
    { read: async (at) => Buffer.from(await picture(30, 22, at.length).png().toBuffer()) },
  ];

  test('pictures are decoded and varied to the same bytes as on this thread', async () => {
    for (const files of sources) {
      const works: readonly PictureWork[] = [workHere(files), workOnThreads(count, files, program)];
      for (const decoding of decodings) {
        const [here, there] = await Promise.all(
          works.map((work) =>
            Promise.all(Array.from({ length: PICTURES }, (_, at) => work.decode(path(at), decoding))),
          ),
        );
        expect(there?.map(({ pixels, ...size }) => [size, [...pixels]])).toEqual(
          here?.map(({ pixels, ...size }) => [size, [...pixels]]),
        );
        if (here === undefined || decoding.kind !== 'scaled' || decoding.middle !== undefined) continue;
        await fc.assert(
          fc.asyncProperty(fillings, async ({ preset, seed, epoch, ...rest }) => {
            const policy = augmentationPolicy(preset);
            if (policy === undefined) return;
            const filling: Filling = { ...rest, variation: { policy, seed, epoch } };
            const examples = here.map((decoded, at) => ({ picture: decoded, example: 3 * at }));
            const [one, other] = await Promise.all(works.map((work) => work.fill(examples, filling)));
            expect(other).toEqual(one);
          }),
          { numRuns: 15 },
        );
      }
    }
  });

  test('what is wrong with a file is said in the same words', async () => {
    const broken = join(root, 'broken.png');
    await writeFile(broken, (await picture(9, 9, 1).png().toBuffer()).subarray(0, 60));
    const work = workOnThreads(count, undefined, program);
    for (const at of [broken, join(root, 'none.png'), root]) {
      const [here, there] = await Promise.all(
        [workHere(), work].map((one) => failureOf(one.decode(at, SCALED))),
      );
      expect(there).toBe(here);
    }
    await expect(work.decode(broken, { kind: 'scaled', covers: 4, enlarge: false })).rejects.toBeInstanceOf(
      DataError,
    );
    expect((await work.decode(path(0), { kind: 'scaled', covers: 4, enlarge: false })).pixels).toHaveLength(
      4 * 8 * 3,
    );
  });

  test('a large picture is decoded here, one at a time', async () => {
    const large = join(root, 'large.png');
    await writeFile(large, await picture(1, 1, 1).resize(4200, 4200, { kernel: 'nearest' }).png().toBuffer());
    const decoding: Decoding = { kind: 'scaled', covers: 3, enlarge: false };
    const [here, there] = await Promise.all(
      [workHere(), workOnThreads(count, undefined, program)].map((work) => work.decode(large, decoding)),
    );
    expect([...(there?.pixels ?? [])]).toEqual([...(here?.pixels ?? [0])]);
  });
});

test('a thread that ends fails what it was asked for, and the next piece of work starts another', async () => {
  const ends = join(root, 'ends.mjs');
  await writeFile(
    ends,
    "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw new Error('out of cheese'); });",
  );
  const work = workOnThreads(1, undefined, ends);
  const asked = () => work.fill([], { imageSize: 4, normalisation: imageNetNormalisation });
  await expect(asked()).rejects.toThrow('a thread for pictures has failed: out of cheese');
  await expect(asked()).rejects.toThrow('out of cheese');
});

test('where the program has not been built, the work is done here', async () => {
  const work = workOnThreads(2); // of the sources beside this test there is none
  expect((await work.decode(path(0), { kind: 'scaled', covers: 4, enlarge: false })).width).toBe(4);
});
