import { EngineUnavailableError, type EngineDriver } from '../src/driver';
import { startOneOf } from '../src/selection';

const works = (description: string): EngineDriver => ({
  availability: () => Promise.resolve({ available: true }),
  start: () => Promise.resolve(description),
});
const missing: EngineDriver = {
  availability: () => Promise.resolve({ available: false, reason: 'not made: npm run setup' }),
  start: () => Promise.reject(new Error('must not be started')),
};
const broken: EngineDriver = {
  availability: () => Promise.resolve({ available: true }),
  start: () => Promise.reject(new Error('symbol not found')),
};

describe('startOneOf', () => {
  it('takes the first that is there', async () => {
    const drivers = [['fast', works('fast 1')] as const, ['slow', works('slow 1')] as const];
    expect(await startOneOf(drivers, 'auto')).toEqual({ name: 'fast', description: 'fast 1' });
    expect(await startOneOf(drivers, 'slow')).toEqual({ name: 'slow', description: 'slow 1' });
  });

  it('passes over what is missing or broken, and says so', async () => {
    const drivers = [['a', missing] as const, ['b', broken] as const, ['c', works('c 1')] as const];
    const started = await startOneOf(drivers, 'auto');
    expect(started.name).toBe('c');
    expect(started.description).toBe(
      'c 1. The engine "a" is not available: not made: npm run setup. ' +
        'The engine "b" is not available: it does not start (symbol not found)',
    );
  });

  it('throws a clear error for an engine asked for and missing', async () => {
    const starting = startOneOf([['a', missing] as const, ['b', works('b 1')] as const], 'a');
    await expect(starting).rejects.toThrow(EngineUnavailableError);
    await expect(starting).rejects.toThrow('The engine "a" is not available: not made: npm run setup');
  });
});
