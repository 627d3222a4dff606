import { type NativeAddon, checkedAddon, loadAddon } from '../src/addon';
import { obstacle } from '../src/index';
import { SignatureCursor, declared } from '../src/signatures';

/** An addon that was compiled with these signatures, and computes nothing. */
function addonWith(signatures: Readonly<Record<string, string>>): NativeAddon {
  const nothing = () => undefined;
  return {
    version: '0',
    operations: Object.keys(signatures).filter((name) => name !== 'upload'),
    signatures,
    ...{
      connect: nothing,
      multipliesBf16: () => false,
      run: nothing,
      upload: nothing,
      stage: nothing,
      claim: nothing,
      read: nothing,
      release: nothing,
      memory: nothing,
      giveBack: nothing,
    },
  };
}

describe('an addon that is loaded', () => {
  const stale = /^the torch addon was built for other sources: run `npm run setup` \(/;

  it('is taken when it has the signatures of these sources', () => {
    const addon = addonWith(declared);
    expect(checkedAddon(addon)).toBe(addon);
  });

  it.each<[string, unknown, string]>([
    [
      'of before there were signatures',
      { ...addonWith(declared), signatures: undefined },
      'its exports are not those',
    ],
    ['that is no addon', undefined, 'its exports are not those'],
    ['without a function', { ...addonWith(declared), upload: undefined }, 'its exports are not those'],
    [
      'with an operation that reads other arguments',
      addonWith({ ...declared, layerNorm: 'ttt' }),
      'layerNorm takes ttt, not tttn',
    ],
    [
      'without an operation',
      addonWith(Object.fromEntries(Object.entries(declared).filter(([name]) => name !== 'gelu'))),
      'gelu takes nothing, as it is not there, not t',
    ],
    [
      'with one that these sources do not know',
      addonWith({ ...declared, siren: 't' }),
      'siren is not one of',
    ],
  ])('is refused in one line when it is one %s', (_, addon, difference) => {
    expect(() => checkedAddon(addon)).toThrow(stale);
    expect(() => checkedAddon(addon)).toThrow(difference);
  });
});

describe('the arguments of an operation', () => {
  const cursor = new SignatureCursor();
  const write = (operation: string, kinds: string) => () => {
    cursor.begin(operation);
    for (const kind of kinds) cursor.take(kind);
    cursor.end();
  };

  it('are taken in the order of its signature, and in no other', () => {
    expect(write('layerNorm', 'tttn')).not.toThrow();
    expect(write('layerNorm', 'ttnt')).toThrow(
      'signatures.json says tttn of the arguments of layerNorm: expected a tensor, got a number',
    );
    expect(write('layerNorm', 'ttt')).toThrow('expected a number, got no more');
    expect(write('layerNorm', 'tttnf')).toThrow('expected no more arguments, got yes or no');
    expect(write('tetrate', '')).toThrow('expected an operation of signatures.json, got tetrate');
  });

  it('may stand in groups, of which there are as many as were said', () => {
    const groups = (count: number, written: number) => () => {
      cursor.begin('adamW');
      for (const kind of 'nnnnn') cursor.take(kind);
      cursor.takeGroup(count);
      for (let group = 0; group < written; group++) for (const kind of 'ttttnf') cursor.take(kind);
      cursor.end();
    };
    for (const count of [0, 1, 3]) expect(groups(count, count)).not.toThrow();
    expect(groups(2, 1)).toThrow('expected a tensor, got no more');
    expect(groups(1, 2)).toThrow('expected no more arguments, got a tensor');
    expect(groups(0, 1)).toThrow('expected no more arguments, got a tensor');
  });

  it('go on where they stood when another operation came between', () => {
    cursor.begin('layerNorm');
    cursor.take('t');
    cursor.interruptedBy(write('upload', 'di'));
    for (const kind of 'ttn') cursor.take(kind);
    expect(() => cursor.end()).not.toThrow();
  });
});

const whereBuilt = obstacle() === undefined ? it : it.skip;

whereBuilt('the addon has all operations that are declared, and no others', () => {
  const { operations, signatures } = loadAddon();
  expect(signatures).toEqual(declared);
  expect([...operations, 'upload'].sort()).toEqual(Object.keys(declared).sort());
});
