import { EngineUnavailableError, type EngineDriver } from '../src/driver';
import type { EngineOptions } from '../src/options';
import { startOneOf } from '../src/selection';

const settings = { precision: 'f32', threads: 1, device: 'cpu' } as const;
const works = (description: string): EngineDriver => ({
  availability: () => Promise.resolve({ available: true }),
  start: () => Promise.resolve({ ...settings, description }),
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
    expect(await startOneOf(drivers, 'auto', {})).toEqual({
      ...settings,
      name: 'fast',
      description: 'fast 1',
    });
    expect((await startOneOf(drivers, 'slow', {})).description).toBe('slow 1');
  });

  it('passes over what is missing or broken, and says so', async () => {
    const drivers = [['a', missing] as const, ['b', broken] as const, ['c', works('c 1')] as const];
    const started = await startOneOf(drivers, 'auto', {});
    expect(started.name).toBe('c');
    expect(started.description).toBe(
      'c 1. The engine "a" is not available: not made: npm run setup. ' +
        'The engine "b" is not available: it does not start (symbol not found)',
    );
  });

  it('passes over what cannot do what is asked', async () => {
    const asked: EngineOptions[] = [];
    const plain: EngineDriver = {
      availability: ({ precision }) =>
        Promise.resolve(
          precision === 'bf16' ? { available: false, reason: 'f32 only' } : { available: true },
        ),
      start: () => Promise.reject(new Error('must not be started')),
    };
    const able: EngineDriver = {
      ...works('able 1'),
      start: (options) => {
        asked.push(options);
        return Promise.resolve({ ...settings, precision: 'bf16', description: 'able 1' });
      },
    };
    const options: EngineOptions = { precision: 'bf16', threads: 3 };
    const started = await startOneOf([['plain', plain] as const, ['able', able] as const], 'auto', options);
    expect(started).toMatchObject({ name: 'able', precision: 'bf16' });
    expect(asked).toEqual([options]);
  });

  it('throws a clear error for an engine asked for and missing', async () => {
    const starting = startOneOf([['a', missing] as const, ['b', works('b 1')] as const], 'a', {});
    await expect(starting).rejects.toThrow(EngineUnavailableError);
    await expect(starting).rejects.toThrow('The engine "a" is not available: not made: npm run setup');
  });
});
