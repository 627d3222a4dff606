/** Values that programs trip over. The folder of `canary` is where nothing may appear or change. */

const LONG = 100_000;
const LARGEST = 4_000_000;
const DEEP = 20_000;

/** The times that a text of some length may be repeated: large, but not so large that making it is what takes the time. */
export const atMost = (times, length) =>
  Math.min(times, Math.max(1, Math.floor(LARGEST / Math.max(1, length))));

export const hostileKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  '',
  '\0',
  'a\0b',
  '../../../up',
  '\u202Egnp',
  '\x1b[2J',
  '😀',
  '\ud800',
  'k'.repeat(LONG),
];

export const hostileNumbers = [
  ...[0, -0, -1, 1, 2, 3, 0.5, 1.5, -0.5, 7, 255, 256, 65_535, 65_536, 100_000, 500_000, 1e6],
  ...[
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    1e9,
    2 ** 53 - 1,
    2 ** 53,
    2 ** 63,
    1e20,
    1e300,
    1e-300,
    -1e9,
  ],
];

export const hostileTexts = (canary) => [
  ...hostileKeys,
  'NaN',
  'Infinity',
  '-1',
  '1e999',
  '0x10',
  '१२',
  '999999999999999999999',
  '=HYPERLINK("x")',
  '../../../../canary/x',
  `${canary}/x`,
  canary,
  `${canary}/fifo`,
  '/dev/zero',
  '/proc/self/mem',
  '/nowhere/at/all',
  '.',
  '..',
  '~/x',
  'C:\\x',
  'file:///etc/hostname',
  '${HOME}',
  '$(touch x)',
  '; touch x',
  '--out',
  'é',
  'é'.normalize('NFD'),
];

/** JSON text that no value of JavaScript stands for, or that would take long to make. */
export const hostileJson = [
  '['.repeat(DEEP) + ']'.repeat(DEEP),
  '{"a":'.repeat(DEEP) + '1' + '}'.repeat(DEEP),
  '{"a":1,"a":2}',
  '1e999',
  '-1e999',
  'NaN',
  '1'.repeat(400),
  '"\\ud800"',
  `{${Array.from({ length: 20_000 }, (_, index) => `"k${index}":1`).join()}}`,
  `[${'0,'.repeat(LONG)}0]`,
];
