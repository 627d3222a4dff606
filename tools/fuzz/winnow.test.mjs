import assert from 'node:assert/strict';
import { test } from 'node:test';
import { winnow } from './winnow.mjs';

test('the command line is built as a function too, which runs nothing until it is called', async () => {
  const { code, stdout, stderr } = await winnow(['--version']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  const wrong = await winnow(['inspect', 'nothing-here']);
  assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
  assert.match(wrong.stderr, /^winnow: there is no model or run at nothing-here\n$/);
});
