import fc from 'fast-check';
import { type Decision, type Share, checkDecision, columnsOf, dualEncoder } from '../../src/index';
import { twins } from './random-towers';

describe('checkDecision of shared columns', () => {
  const [config] = fc.sample(twins, { seed: 11, numRuns: 1 });
  if (config === undefined) throw new Error('no configuration was drawn');
  const { sites } = dualEncoder(config);
  const attention = sites.find(({ id }) => id === 'vision.blocks.0.attention');
  if (attention === undefined) throw new Error('no attention');
  const columns = columnsOf(attention);
  const all = (letter: string) => letter.repeat(columns);
  const decide = (share: Partial<Share>, others: Decision['sites'] = {}): Decision => ({
    version: 1,
    sites: {
      [attention.id]: {
        kind: 'share',
        units: attention.units,
        lender: 'text.blocks.0.attention',
        columns: { query: all('b'), key: all('k'), value: all('k') },
        ...share,
      },
      ...others,
    },
  });
  const start = (letter: string, rest: string) => letter + rest.repeat(columns - 1);

  it('accepts what fits', () => {
    checkDecision(decide({}), sites);
  });

  it.each<[string, Decision, RegExp]>([
    [
      'a part that is missing',
      decide({ columns: { query: all('k'), key: all('k') } }),
      /columns of value .* got none/,
    ],
    ['too few letters', decide({ columns: { query: 'k', key: all('k'), value: all('k') } }), /got 1/],
    [
      'a part of another structure',
      decide({ columns: { query: all('k'), key: all('k'), value: all('k'), hidden: 'k' } }),
      /has no columns of hidden/,
    ],
    ['a lender that is not there', decide({ lender: 'audio.blocks.0.attention' }), /not there or has other/],
    ['a lender of another structure', decide({ lender: 'text.blocks.0.ffn' }), /not there or has other/],
    ['itself as lender', decide({ lender: attention.id }), /borrows from itself/],
    [
      'queries pruned without keys',
      decide({ columns: { query: start('p', 'k'), key: all('k'), value: all('k') } }),
      /pruned together/,
    ],
    [
      'values pruned',
      decide({ columns: { query: all('k'), key: all('k'), value: start('p', 'k') } }),
      /value .* cannot be pruned/,
    ],
    [
      'nothing left to compare',
      decide({ columns: { query: all('p'), key: all('p'), value: all('k') } }),
      /keep at least one column/,
    ],
    [
      'a pruned column that is borrowed',
      decide(
        {},
        {
          'text.blocks.0.attention': {
            kind: 'share',
            units: attention.units,
            columns: { query: start('p', 'k'), key: start('p', 'k'), value: all('k') },
          },
        },
      ),
      /borrows column 0 of query from text.blocks.0.attention, which pruned it/,
    ],
    [
      'a lender of which units are cut',
      decide({}, { 'text.blocks.0.attention': { kind: 'keep', units: attention.units, kept: [0] } }),
      /whole units are cut/,
    ],
  ])('refuses %s', (_what, decision, message) => {
    expect(() => {
      checkDecision(decision, sites);
    }).toThrow(message);
  });

  it('refuses to borrow without a lender', () => {
    const { sites: decided } = decide({});
    const share = decided[attention.id];
    if (share?.kind !== 'share') throw new Error('no share');
    const { lender: _lender, ...alone } = share;
    expect(() => {
      checkDecision({ version: 1, sites: { [attention.id]: alone } }, sites);
    }).toThrow(/names no lender/);
  });
});
