import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  existsSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { changeIn, recordContents, recordedIn, sha256Of } from './content.mjs';
import { isKept, privateCache, refuseForeign } from './native-cache.mjs';
import { keptAddon } from './torch.mjs';

let root;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'winnow-native-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A folder of the cache, as a set-up leaves it. */
function made() {
  const folder = join(root, 'libraries');
  mkdirSync(join(folder, 'deps'), { recursive: true });
  writeFileSync(join(folder, 'deps', 'a.so'), 'code');
  symlinkSync('a.so', join(folder, 'deps', 'b.so'));
  recordContents(folder);
  return folder;
}

/** Runs a function and returns its result, with what it prints kept from the screen. */
function told(work) {
  const lines = [];
  const { log } = console;
  console.log = (line) => lines.push(line);
  try {
    return [work(), lines.join('\n')];
  } finally {
    console.log = log;
  }
}

test('a cache that others may write is refused by its name, and so is one below such a folder', () => {
  const folder = made();
  refuseForeign(folder);
  chmodSync(folder, 0o775);
  assert.throws(
    () => refuseForeign(folder),
    /^Error: others may write in .*libraries \(mode 775\), .*chmod go-w/,
  );
  chmodSync(folder, 0o700);
  chmodSync(root, 0o707);
  assert.throws(() => isKept(folder), /others may write in .* \(mode 707\)/);
});

test('a cache of another user is refused', { skip: process.getuid === undefined }, () => {
  const folder = made();
  const [stranger, user] = [54_321, process.getuid()];
  // Only root can give a folder away; anybody else looks at their own as a stranger would.
  if (user === 0) chownSync(folder, stranger, stranger);
  assert.throws(
    () => refuseForeign(folder, user === 0 ? user : stranger),
    /libraries belongs to another user \(\d+, expected \d+\)/,
  );
});

test('the cache is made for its user alone', () => {
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = root;
  try {
    const folder = privateCache();
    assert.equal(folder, join(root, 'winnow'));
    chmodSync(folder, 0o777);
    assert.throws(() => privateCache(), /others may write/);
  } finally {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  }
});

const changes = {
  'deps/a.so': (folder) => appendFileSync(join(folder, 'deps', 'a.so'), '.'),
  'deps/b.so': (folder) => {
    rmSync(join(folder, 'deps', 'b.so'));
    symlinkSync('/elsewhere.so', join(folder, 'deps', 'b.so'));
  },
  'deps/c.so': (folder) => writeFileSync(join(folder, 'deps', 'c.so'), ''),
  'contents.json': (folder) => rmSync(join(folder, 'contents.json')),
};
for (const [name, change] of Object.entries(changes)) {
  test(`a change of ${name} is seen by content, and the folder is made anew`, () => {
    const folder = made();
    assert.equal(changeIn(folder), undefined);
    assert.deepEqual(
      told(() => isKept(folder)),
      [true, ''],
    );
    change(folder);
    assert.equal(changeIn(folder), name);
    const [isThere, text] = told(() => isKept(folder));
    assert.equal(isThere, false);
    assert.ok(text.includes(`${name} is not what the set-up left there`), text);
    assert.equal(existsSync(folder), false);
  });
}

test('a compiled addon is taken from the cache only with the hash that was recorded', () => {
  const addon = join(root, 'addon.node');
  writeFileSync(addon, 'machine code');
  assert.equal(keptAddon(addon), undefined);
  writeFileSync(`${addon}.sha256`, sha256Of(addon));
  assert.equal(keptAddon(addon), sha256Of(addon));
  appendFileSync(addon, '.');
  const [kept, text] = told(() => keptAddon(addon));
  assert.equal(kept, undefined);
  assert.match(text, /addon.node is not what the set-up compiled/);
});

test('the record tells the hash of a file', () => {
  const folder = made();
  assert.equal(recordedIn(folder, 'deps/a.so'), sha256Of(join(folder, 'deps', 'a.so')));
  assert.equal(recordedIn(folder, 'deps/none.so'), undefined);
});
