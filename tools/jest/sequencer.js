import { readFileSync } from 'node:fs';
import Sequencer from '@jest/test-sequencer';

/** A time limit of minutes, as tests write it that start dozens of processes. */
const MINUTES = /\b[3-9]00_000\b/;

/**
 * Starts the files first that give themselves minutes: a fresh clone knows no durations, and the longest file must not be the one
 * that is left for the end, when every other worker has nothing to do.
 */
export default class LongestFirst {
  #usual;

  constructor(options) {
    this.#usual = new Sequencer(options);
  }

  sort(tests) {
    const isLong = new Map(tests.map((test) => [test, MINUTES.test(readFileSync(test.path, 'utf8'))]));
    return [...this.#usual.sort(tests)].sort((a, b) => Number(isLong.get(b)) - Number(isLong.get(a)));
  }

  shard(tests, options) {
    return this.#usual.shard(tests, options);
  }

  allFailedTests(tests) {
    return this.#usual.allFailedTests(tests);
  }

  cacheResults(tests, results) {
    return this.#usual.cacheResults(tests, results);
  }
}
