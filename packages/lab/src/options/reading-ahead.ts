import { z } from 'zod';

const units = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
const SIZE = /^(\d{1,6}(?:\.\d{1,3})?) ?(KiB|MiB|GiB|TiB)$/;

const isUnit = (text: string | undefined): text is keyof typeof units => text !== undefined && text in units;

/** Bytes of a size as people write it, like 512MiB or 1.5GiB, or 0; undefined for another text. */
export function bytesOfSize(text: string): number | undefined {
  if (text === '0') return 0;
  const [, number, unit] = SIZE.exec(text) ?? [];
  return isUnit(unit) ? Math.floor(Number(number) * units[unit]) : undefined;
}

const size = z.string().refine((text) => bytesOfSize(text) !== undefined, {
  error: ({ input }) => `expected a size like 512MiB, 1.5GiB or 0, got ${String(input)}`,
});

const MOST_WORKERS = 256;

/** Whether and where pictures are kept once they are decoded: a result depends on none of it. */
export const readingAheadShape = {
  preload: z
    .boolean()
    .default(false)
    .describe(
      'Decode all pictures before the training instead of beside it: a broken file is reported at once',
    ),
  cacheMemory: size
    .optional()
    .describe('Memory for decoded pictures, like 512MiB; default: a quarter of what is available'),
  cacheDisk: size
    .optional()
    .describe(
      'Room on the disk for decoded pictures, for this and later runs; default: a tenth of what is free, at most 64GiB',
    ),
  workers: z
    .int()
    .min(0)
    .max(MOST_WORKERS)
    .optional()
    .describe(
      'Threads that decode and vary pictures; default: for pictures of 96 pixels a side or more one less than the machine has cores, otherwise none',
    ),
};
