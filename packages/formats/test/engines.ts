import { type EngineName, availableEngines, startEngine } from '@winnow/engine';

const engines = await availableEngines();

/** Runs the same tests on every engine there is; one that is not here is shown as skipped, with the reason. */
export function onEveryEngine(title: string, tests: (engine: EngineName) => void): void {
  for (const engine of engines) {
    if (engine.available) {
      describe(`${title} on ${engine.name}`, () => {
        beforeAll(async () => {
          await startEngine(engine.name);
        });
        tests(engine.name);
      });
    } else {
      describe.skip(`${title} on ${engine.name} (${engine.reason})`, () => tests(engine.name));
    }
  }
}
