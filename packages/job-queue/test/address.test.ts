import { redisQueue, withPassword } from '../src/index';

test.each([
  ['redis://someone:secret@127.0.0.1:1', /at redis:\/\/someone:\*\*\*@127\.0\.0\.1:1 /],
  ['redis://:secret@127.0.0.1:1', /at redis:\/\/:\*\*\*@127\.0\.0\.1:1 /],
  ['redis//someone:secret@host', /expected an address .* got "\*\*\*@host"/],
  ['someone:secret@host', /expected an address .* got "\*\*\*@host"/],
  ['redis://someone:secret', /expected an address .* got "redis:\/\/someone:\*\*\*"/],
  ['redis://some one:sec secret@127.0.0.1:1', /at redis:\/\/some one:\*\*\*@127\.0\.0\.1:1 /],
  ['redis://127.0.0.1:1/0?password=secret', /at redis:\/\/127\.0\.0\.1:1\/0\?password=\*\*\* /],
])('no error shows the password of %s', async (url, message) => {
  const asked = redisQueue({ url, name: 'none', signal: new AbortController().signal });
  await expect(asked).rejects.toThrow(message);
  await expect(asked).rejects.not.toThrow(/secret/);
});

test.each([
  ['redis://h:1', 'a@b/c:%', 'redis://:a%40b%2Fc%3A%25@h:1'],
  ['redis://u@h', 'p', 'redis://u:p@h'],
  ['redis://u:own@h', 'p', 'redis://u:own@h'],
  ['redis://h', undefined, 'redis://h'],
  ['redis://h', '', 'redis://h'],
  ['no address', 'p', 'no address'],
])('%s with the password %s', (url, password, address) => {
  expect(withPassword(url, password)).toBe(address);
});
