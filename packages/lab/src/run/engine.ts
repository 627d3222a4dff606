import { type StartedEngine, startEngine } from '@winnow/engine';
import type { EngineChoice } from '../options/training';

/**
 * Starts the engine that was chosen.
 * @param note Told in one line what computes.
 * @throws {EngineUnavailableError} when the engine asked for is not here, or cannot do what is asked.
 */
export async function startChosen(
  { engine, precision, threads, device }: EngineChoice,
  note: (line: string) => void,
): Promise<StartedEngine> {
  const started = await startEngine(engine, { precision, threads, device });
  note(started.description);
  return started;
}
