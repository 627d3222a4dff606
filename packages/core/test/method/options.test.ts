import { z } from 'zod';
import { UserError, durationOption, parseOptions, suggestion } from '../../src/index';

const schema = z.object({
  search: durationOption.default('3ep'),
  learningRate: z.number().positive().default(0.1),
  schedule: z.enum(['cosine', 'uniform']).default('cosine'),
});
const parse = (values: unknown) => parseOptions(schema, values, 'options of upop');

describe('options', () => {
  it('take their defaults where nothing is given', () => {
    expect(parse({})).toEqual({ search: '3ep', learningRate: 0.1, schedule: 'cosine' });
    expect(parse({ search: '20it' }).search).toBe('20it');
  });

  it.each<[unknown, RegExp]>([
    [{ serch: '3ep' }, /options of upop:\n {2}unknown option serch; did you mean search\?/],
    [{ learningrate: 1 }, /did you mean learningRate\?/],
    [{ temperature: 1 }, /unknown option temperature; known are search, learningRate, schedule/],
    [{ search: '3' }, /search: expected a duration like 3ep or 200it/],
    [{ learningRate: -1 }, /learningRate: /],
    [{ schedule: 'linear' }, /schedule: .*"cosine"/],
    ['search', /options of upop/],
    [undefined, /options of upop/],
  ])('refuse %p', (values, message) => {
    expect(() => parse(values)).toThrow(UserError);
    expect(() => parse(values)).toThrow(message);
  });

  it('report all mistakes at once', () => {
    expect(() => parse({ serch: 1, learningRate: 0, x: 1 })).toThrow(
      /learningRate[^]*serch[^]*unknown option x/,
    );
  });
});

describe('suggestion', () => {
  it('is the nearest name, if one is near', () => {
    expect(suggestion('UPOP', ['upop', 'unified'])).toBe('upop');
    expect(suggestion('magnitud', ['mask-based', 'magnitude'])).toBe('magnitude');
    expect(suggestion('quantize', ['upop', 'unified'])).toBeUndefined();
    expect(suggestion('upop', [])).toBeUndefined();
  });
});

test('an unknown key within an option is named with its place, and the names of others are not listed for it', () => {
  const nested = z.object({ rounds: z.int(), latency: z.strictObject({ passes: z.int() }) });
  const parse = () => parseOptions(nested, { rounds: 1, latency: { passes: 2, warm: 3 } }, 'some options');
  expect(parse).toThrow(/^some options:\n  latency: unknown option warm$/);
});
