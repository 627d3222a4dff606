import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkedWheels, pinnedWheels } from './wheels.mjs';

const CONTENT = 'what a wheel holds';
const sha256 = createHash('sha256').update(CONTENT).digest('hex');
const pins = [
  { name: 'nvidia-small-part', version: '1.2.3', sha256 },
  { name: 'torch', version: '9.0', sha256 },
];
const FILES = ['nvidia_small_part-1.2.3-py3-none-any.whl', 'torch-9.0-cp312-cp312-manylinux_2_28_x86_64.whl'];

/** Checks a folder of made-up wheels. */
function checked(files, wanted = pins) {
  const folder = mkdtempSync(join(tmpdir(), 'winnow-wheels-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return checkedWheels(folder, wanted).map((file) => file.slice(folder.length + 1));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const [part, torch] = FILES;

test('wheels whose hashes are the pinned ones are taken, in the order of the pins', () => {
  assert.deepEqual(checked({ [torch]: CONTENT, [part]: CONTENT }), FILES);
});

test('a wheel with other bytes is refused by its name', () => {
  assert.throws(
    () => checked({ [torch]: `${CONTENT}.`, [part]: CONTENT }),
    new RegExp(
      `^Error: ${torch} was not unpacked: its SHA-256 is [0-9a-f]{64}, and tools/setup/pinned-wheels.mjs says ${sha256}$`,
    ),
  );
});

test('a wheel of another name or version is refused, so is a missing or a second one', () => {
  assert.throws(() => checked({ [torch]: CONTENT }), /one wheel of nvidia-small-part 1.2.3, got none/);
  assert.throws(() => checked({ 'other-1.0-py3-none-any.whl': CONTENT }), /got other-1.0-py3-none-any.whl/);
  assert.throws(() => checked({ 'torch-9.1-py3-none-any.whl': CONTENT }), /got torch-9.1-py3-none-any.whl/);
  assert.throws(
    () => checked({ [torch]: CONTENT, 'torch-9.0-py3-none-any.whl': CONTENT, [part]: CONTENT }),
    /one wheel of torch 9.0, got more/,
  );
});

test('every wheel that a set-up may pick is pinned by an exact version and a SHA-256, for both processors', () => {
  for (const arch of ['x64', 'arm64']) {
    const found = pinnedWheels(arch);
    const names = found.map(({ name }) => name);
    const needed = ['torch', 'tensorflow', 'nvidia-cuda-runtime', 'nvidia-cuda-cupti', 'nvidia-cudnn-cu13'];
    for (const name of arch === 'x64' ? [...needed, 'tensorflow-cpu'] : needed)
      assert.ok(names.includes(name), name);
    for (const { name, version, sha256: pinned } of found) {
      assert.match(version, /^\d+(\.\d+)+$/, name);
      assert.match(pinned, /^[0-9a-f]{64}$/, name);
    }
  }
});
