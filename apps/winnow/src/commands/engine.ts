import { type StartedEngine, startEngine } from '@winnow/engine';
import type { EngineChoice } from '../options/training';
import { type Terminal, print } from '../terminal/terminal';

/**
 * Starts the engine and says in one line what computes.
 * @throws {EngineUnavailableError} when the engine asked for is not here, or cannot do what is asked.
 */
export async function startChosen(
  { engine, precision, threads, device }: EngineChoice,
  { stderr }: Terminal,
): Promise<StartedEngine> {
  const started = await startEngine(engine, { precision, threads, device });
  print(stderr, started.description);
  return started;
}
