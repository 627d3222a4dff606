import { type StartedEngine, type EngineName, startEngine } from '@winnow/engine';
import { type Terminal, print } from '../terminal/terminal';

/**
 * Starts the engine and says in one line what computes.
 * @throws {EngineUnavailableError} when the engine asked for is not here.
 */
export async function startNamed(name: EngineName | 'auto', { stderr }: Terminal): Promise<StartedEngine> {
  const started = await startEngine(name);
  print(stderr, started.description);
  return started;
}
