import { EngineUnavailableError, type Availability, type EngineDriver, type RunningEngine } from './driver';
import type { EngineOptions } from './options';

export type NamedDriver<Name extends string> = readonly [Name, EngineDriver];

/**
 * Starts the driver of that name, or with 'auto' the first that starts.
 * @throws {EngineUnavailableError} if it is not here or does not start; with 'auto', if none does.
 */
export async function startOneOf<Name extends string>(
  drivers: readonly NamedDriver<Name>[],
  request: Name | 'auto',
  options: EngineOptions,
): Promise<RunningEngine & { readonly name: Name }> {
  const candidates = request === 'auto' ? drivers : drivers.filter(([name]) => name === request);
  const reasons: string[] = [];
  for (const [name, driver] of candidates) {
    try {
      const availability = await driver.availability(options);
      if (availability.available) {
        const running = await driver.start(options);
        return { ...running, name, description: [running.description, ...reasons].join('. ') };
      }
      reasons.push(notAvailable(name, availability));
    } catch (error) {
      const reason = `it does not start (${error instanceof Error ? error.message : String(error)})`;
      reasons.push(notAvailable(name, { available: false, reason }));
    }
  }
  throw new EngineUnavailableError(reasons.join('. '));
}

function notAvailable(name: string, { reason }: Extract<Availability, { available: false }>): string {
  return `The engine "${name}" is not available: ${reason}`;
}
