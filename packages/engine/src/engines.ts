import type { Availability } from './driver';
import { startOneOf, type NamedDriver } from './selection';
import { tensorflowDriver } from './tensorflow-driver';
import { torchDriver } from './torch-driver';
import { wasmDriver } from './wasm-driver';

/** The engines there are, fastest first: 'auto' takes the first that starts. */
export const engineNames = ['torch', 'tensorflow', 'wasm'] as const;
export type EngineName = (typeof engineNames)[number];

const drivers = { torch: torchDriver, tensorflow: tensorflowDriver, wasm: wasmDriver } as const;
const driversInOrder = engineNames.map((name): NamedDriver<EngineName> => [name, drivers[name]]);

export interface StartedEngine {
  readonly name: EngineName;
  /** One line: what runs, on what, and, where there is something faster, how to get it. */
  readonly description: string;
}

/**
 * Starts an engine and makes it current: every tfjs operation from here on runs on it.
 * @throws {EngineUnavailableError} if the engine asked for is not here; it says how to get it.
 */
export function startEngine(request: EngineName | 'auto'): Promise<StartedEngine> {
  return startOneOf(driversInOrder, request);
}

/** Which engines could be started here, without starting any. */
export function availableEngines(): Promise<readonly ({ readonly name: EngineName } & Availability)[]> {
  return Promise.all(
    driversInOrder.map(async ([name, driver]) => ({ name, ...(await driver.availability()) })),
  );
}
