/** The globals that jest gives to test files, for bundles that run under Node's own test runner. */
import '../../jest/property-seed.js';
import * as nodeTest from 'node:test';
import { expect } from 'expect';
import { titleOf } from './titles.mjs';

const { describe: suite, it: single } = nodeTest;

/** As tools/jest/preset.js has it. */
const TIMEOUT_MS = 120_000;

const define =
  (register, options) =>
  (name, body, timeout = TIMEOUT_MS) =>
    // Without parameters: jest would call back with `done`, Node gives its context.
    register(String(name), { ...options, ...(register === single ? { timeout } : {}) }, () => body());

function withTables(define) {
  return Object.assign(define, {
    each: (rows) => (template, body, timeout) => {
      for (const [index, row] of rows.entries()) {
        const values = Array.isArray(row) ? row : [row];
        define(titleOf(template, row, index), () => body(...values), timeout);
      }
    },
  });
}

const itself = withTables(define(single, {}));
const group = withTables(define(suite, {}));
export const it = Object.assign(itself, { skip: withTables(define(single, { skip: true })) });
export const describe = Object.assign(group, { skip: withTables(define(suite, { skip: true })) });
export const test = it;

const hook = (register) => (body, timeout) => register(() => body(), { timeout: timeout ?? TIMEOUT_MS });
export const beforeAll = hook(nodeTest.before);
export const beforeEach = hook(nodeTest.beforeEach);
export const afterAll = hook(nodeTest.after);
export const afterEach = hook(nodeTest.afterEach);
export { expect };
