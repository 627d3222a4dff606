import type { Availability, RunningEngine } from './driver';
import type { EngineOptions } from './options';
import { startOneOf, type NamedDriver } from './selection';
import { tensorflowDriver } from './tensorflow-driver';
import { torchDriver } from './torch-driver';
import { wasmDriver } from './wasm-driver';

/** The engines there are, fastest first: 'auto' takes the first that starts. */
export const engineNames = ['torch', 'tensorflow', 'wasm'] as const;
export type EngineName = (typeof engineNames)[number];

const drivers = { torch: torchDriver, tensorflow: tensorflowDriver, wasm: wasmDriver } as const;
const driversInOrder = engineNames.map((name): NamedDriver<EngineName> => [name, drivers[name]]);

/** Its description is one line: what runs, on what, and, where there is something faster, how to get it. */
export interface StartedEngine extends RunningEngine {
  readonly name: EngineName;
}

/**
 * Starts an engine and makes it current: every tfjs operation from here on runs on it. 'auto' takes the fastest that can
 * do what the options ask.
 * @throws {EngineUnavailableError} if the engine asked for is not here; it says how to get it.
 */
export function startEngine(
  request: EngineName | 'auto',
  options: EngineOptions = {},
): Promise<StartedEngine> {
  return startOneOf(driversInOrder, request, options);
}

/** Which engines could be started here, without starting any. */
export function availableEngines(): Promise<readonly ({ readonly name: EngineName } & Availability)[]> {
  return Promise.all(
    driversInOrder.map(async ([name, driver]) => ({ name, ...(await driver.availability({})) })),
  );
}
