import fc from 'fast-check';
import { visible, visibleName, withoutPasswords } from '../../src/index';

describe('text for a reader', () => {
  it.each([
    ['colours', 'a\u001b[31mred\u001b[0m', 'a\\u001b[31mred\\u001b[0m'],
    ['titles and links', '\u001b]8;;http://x\u0007', '\\u001b]8;;http://x\\u0007'],
    ['controls of one byte', '\u009b31m \u007f \r \b', '\\u009b31m \\u007f \\u000d \\u0008'],
    ['direction', 'gpj.\u202eexe \u2066a\u2069 \u200f', 'gpj.\\u202eexe \\u2066a\\u2069 \\u200f'],
    ['lines and width', 'a\u2028b\u2029c\ufeffd\u200be', 'a\\u2028b\\u2029c\\ufeffd\\u200be'],
    ['what is plain', 'Ä 漢字 👩‍👩‍👧 שלום ±·×\n\tx', 'Ä 漢字 👩‍👩‍👧 שלום ±·×\n\tx'],
  ])('shows %s', (_what, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('is as it was the second time, and says the same as JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(visible(text))).toBe(visible(text));
        expect(JSON.parse(visible(JSON.stringify(text)))).toBe(text);
        expect(visibleName(text)).not.toMatch(/\p{Cc}/u);
      }),
    );
  });

  it('keeps a name on its line', () => {
    expect(visibleName('a\nb\tc')).toBe('a\\u000ab\\u0009c');
  });
});

describe('addresses', () => {
  it.each([
    ['redis://someone:secret@127.0.0.1:6390', 'redis://someone:***@127.0.0.1:6390'],
    ['at rediss://:secret@host/1 (x)', 'at rediss://:***@host/1 (x)'],
    ['redis://u:se@cr/e:t@host redis://v:w@host', 'redis://u:***@host redis://v:***@host'],
    ['redis://host:6379?password=secret&db=1', 'redis://host:6379?password=***&db=1'],
    ['redis://host:6379 and a@b.org', 'redis://host:6379 and a@b.org'],
  ])('%s', (text, shown) => {
    expect(withoutPasswords(text)).toBe(shown);
    expect(shown).not.toContain('secret');
  });
});
