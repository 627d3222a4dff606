import { availableEngines, startEngine } from '@winnow/engine';

const engines = await availableEngines();

/** Registers the tests of `body` once for each engine that can be started here; the others are visibly skipped. */
export function describeOnEveryEngine(what: string, body: () => void): void {
  for (const engine of engines) {
    if (!engine.available) {
      it.skip(`${what} on ${engine.name}: ${engine.reason}`, () => undefined);
      continue;
    }
    describe(`${what} on ${engine.name}`, () => {
      beforeAll(async () => {
        await startEngine(engine.name);
      });
      body();
    });
  }
}
