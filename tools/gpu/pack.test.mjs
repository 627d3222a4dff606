import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundle, programs, testName, tests } from './bundles.mjs';
import { closureOf, filesOf, nativePackages, ownPackage } from './contents.mjs';
import { secondsFor } from './limits.mjs';
import { tableOf, timesIn } from './parts/profile.mjs';
import { openReport } from './report.mjs';
import { MOST_MIB, checkedSize } from './size.mjs';
import { titleOf } from './tests/titles.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'winnow-gpu-test-'));
after(() => rmSync(work, { recursive: true, force: true }));

describe('the contents of the archive', () => {
  it('are files that are here, each under a path of its own', () => {
    const entries = filesOf(root);
    const paths = entries.map(({ path }) => path);
    assert.equal(new Set(paths).size, paths.length);
    assert.deepEqual(
      entries.filter(({ source }) => !existsSync(source) && !source.includes('/dist/')),
      [],
    );
    for (const path of ['addon/addon.cc', 'peers/peer.py', 'presets/quickstart.yaml', 'winnow'])
      assert.ok(paths.includes(path), path);
    assert.ok(paths.some((path) => /prebuilds\/linux-x64\/.*\.node$/.test(path)));
    assert.ok(!paths.some((path) => /prebuilds\/(darwin|win32|android|ios)/.test(path)));
  });

  it('need no declarations of types, which a set-up does not write', () => {
    const clone = mkdtempSync(join(work, 'clone-'));
    const folder = join(clone, 'packages', 'core');
    mkdirSync(join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'dist', 'index.js'), '');
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: '@w/core', files: ['dist', 'types'] }),
    );
    assert.deepEqual(
      ownPackage(clone, 'core').map(({ path }) => path),
      ['node_modules/@w/core/package.json', 'node_modules/@w/core/dist/index.js'],
    );
  });

  it('have all that the command line looks for at the root of its package, and main.js starts its bundle', () => {
    const paths = filesOf(root).map(({ path }) => path);
    const commandLine = readFileSync(join(root, 'apps', 'winnow', 'src', 'cli.ts'), 'utf8');
    const wanted = [...commandLine.matchAll(/atRoot\('([^']+)'\)/g)].map(([, path]) => path);
    assert.ok(wanted.includes('dist/main.js'));
    for (const path of wanted)
      assert.ok(
        paths.some((each) => each === path || each.startsWith(`${path}/`)),
        path,
      );
    const [, bundled] =
      /^import '\.\.\/js\/(\w+)\.mjs';$/m.exec(readFileSync(here('main.mjs'), 'utf8')) ?? [];
    assert.ok(bundled in programs);
    const { type } = JSON.parse(readFileSync(join(root, 'apps', 'winnow', 'package.json'), 'utf8'));
    assert.equal(type, 'module');
  });

  it('has the native packages with all that they need, and nothing twice', () => {
    const names = closureOf(root, nativePackages);
    for (const name of ['sharp', 'semver', 'fs-native-extensions', 'require-addon'])
      assert.ok(names.includes(name), name);
    assert.equal(new Set(names).size, names.length);
  });

  it('has bundles of programs and tests that are here, each under a name of its own', () => {
    const paths = Object.values(tests).flat();
    const names = [...paths.map(testName), ...Object.keys(programs)];
    assert.equal(new Set(names).size, names.length);
    for (const path of paths) assert.ok(existsSync(join(root, `${path}.test.ts`)), path);
  });
});

describe('the bundles', () => {
  // Within the clone, whose node_modules has the native packages.
  mkdirSync(join(root, 'build'), { recursive: true });
  const unpacked = mkdtempSync(join(root, 'build', 'gpu-test-'));
  after(() => rmSync(unpacked, { recursive: true, force: true }));
  const js = join(unpacked, 'js');

  it('are modules that Node takes, and the command line starts', async () => {
    await bundle(root, js);
    copyFileSync(join(root, 'apps', 'winnow', 'package.json'), join(unpacked, 'package.json'));
    for (const name of [...Object.keys(programs), ...Object.values(tests).flat().map(testName)]) {
      const { status, stderr } = spawnSync(process.execPath, ['--check', join(js, `${name}.mjs`)]);
      assert.equal(status, 0, `${name}: ${stderr}`);
    }
    const args = [join(js, 'winnow.mjs'), 'compress', '--help'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /--method/);
  });
});

describe('the size of the archive', () => {
  it('may be what can be taken along', () => {
    assert.equal(checkedSize(MOST_MIB * 2 ** 20), '55.0 MiB of at most 55 MiB');
  });

  it('may not be more', () => {
    assert.throws(() => checkedSize(MOST_MIB * 2 ** 20 + 1e6), /too large: 56\.0 MiB of at most 55 MiB/);
  });
});

describe('names of tests in tables', () => {
  it('take the values of a row in turn', () => {
    assert.equal(titleOf('%s refuses %j at %#, 100 %%', ['x', { a: 1 }], 2), 'x refuses {"a":1} at 2, 100 %');
  });

  it('take what an object has under a path, and leave what it has not', () => {
    assert.equal(titleOf('$manifest.name and $other', { manifest: { name: 'upop' } }, 0), 'upop and $other');
  });
});

describe('the time of a part', () => {
  const onGpu = { isOnProcessor: false, isUnbounded: false, whole: Infinity };

  it('is its own, more of it on a processor, and none is set where it may take what it needs', () => {
    assert.equal(secondsFor(90, onGpu, 1000), 90);
    assert.equal(secondsFor(90, { ...onGpu, isOnProcessor: true }, 0), 1080);
    assert.equal(secondsFor(90, { ...onGpu, isUnbounded: true }, 0), Infinity);
  });

  it('ends with that of the call', () => {
    for (const [spent, left] of [
      [0, 90],
      [150, 50],
      [200, 0],
      [300, 0],
    ])
      assert.equal(secondsFor(90, { ...onGpu, whole: 200 }, spent), left);
    assert.equal(secondsFor(90, { ...onGpu, isUnbounded: true, whole: 200 }, 50), 150);
  });
});

describe('the report', () => {
  it('keeps what earlier calls came to, and says what failed', async () => {
    const out = mkdtempSync(join(work, 'report-'));
    const first = await openReport(out, 'cpu');
    await first.part('build', async () => ({ ok: true, line: 'torch' }));
    const second = await openReport(out, 'cpu');
    await second.part('tests', async (log) => {
      log('one failed\n');
      throw new Error('no GPU');
    });
    assert.equal(first.finish(), true);
    assert.equal(second.finish(), false);
    const { build, tests } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
    assert.deepEqual({ ...build, seconds: 0 }, { ok: true, line: 'torch', seconds: 0 });
    assert.deepEqual({ ...tests, seconds: 0 }, { ok: false, error: 'no GPU', seconds: 0 });
    assert.match(
      readFileSync(join(out, 'tests.log'), 'utf8'),
      /^== tests\none failed\n== tests: failed: no GPU/,
    );
  });
});

const hasPython = spawnSync('python3', ['-c', 'import lzma, tarfile']).status === 0;

describe('gpu.sh', { skip: hasPython ? false : 'it needs python3' }, () => {
  const archive = join(work, 'archive.tar.xz');
  const pack = (into) => {
    const node = join(work, 'node');
    writeFileSync(node, '#!/bin/sh\nprintf "%s\\n" "$@"\n');
    const input = JSON.stringify([{ path: 'node/bin/node', source: node, isProgram: true }]);
    assert.equal(spawnSync('python3', [here('archive.py'), into], { input }).status, 0);
  };

  it('unpacks once, and hands the parts on to the Node of the archive', () => {
    pack(archive);
    const environment = { ...process.env, TMPDIR: work };
    const calls = [1, 2].map(() =>
      spawnSync('bash', [here('gpu.sh'), archive, join(work, 'out'), '--device', 'cpu', 'build'], {
        env: environment,
        encoding: 'utf8',
      }),
    );
    for (const { stdout, stderr } of calls)
      assert.match(
        stdout + stderr,
        /winnow-gpu-\w{16}\n.*js\/run\.mjs\n--out\n.*out\n--device\ncpu\nbuild\n$/,
      );
    assert.equal(readdirSync(work).filter((name) => name.startsWith('winnow-gpu-')).length, 1);
  });

  it('gets the same bytes of the same files', () => {
    const again = join(work, 'again.tar.xz');
    pack(archive);
    pack(again);
    assert.ok(readFileSync(archive).equals(readFileSync(again)));
  });
});

describe('the table of kernels', () => {
  const csv = [
    '==PROF== Connected to process 7',
    '"ID","Kernel Name","Metric Name","Metric Unit","Metric Value"',
    '"0","copy(int, ""float"")","gpu__time_duration.sum","us","1,500.5"',
    '"1","add","gpu__time_duration.sum","ns","250000"',
    '"2","add","gpu__time_duration.sum","ms","3"',
    '"3","lost","gpu__time_duration.sum","","n/a"',
  ].join('\n');

  it('has every launch in milliseconds, whatever unit it came in, and none without a time', () => {
    assert.deepEqual(
      timesIn(csv).map(({ ms }) => ms),
      [1.5005, 0.25, 3],
    );
  });

  it('adds up the launches of a kernel, longest first', () => {
    const [first, ...lines] = tableOf(timesIn(csv)).trim().split('\n');
    assert.equal(first, '3 launches, 4.75 ms');
    assert.match(lines[0], /3\.250 ms +2 +add/);
    assert.match(lines[1], /1\.500 ms|1\.501 ms/);
  });
});
