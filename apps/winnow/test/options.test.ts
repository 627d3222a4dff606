import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compressGroups, methods, resolveGroups } from '@winnow/lab';
import { z } from 'zod';
import { inTemporaryFolder } from '@winnow/testkit';
import { flagsOf } from '../src/arguments/flag';
import { parseArguments } from '../src/arguments/parse';
import { compressCommand, trainCommand } from '../src/commands/runs';
import { winnow } from './terminal';

const commands = [trainCommand, compressCommand];

async function given(...args: string[]): Promise<unknown> {
  const request = await parseArguments(args, commands, { version: '0' });
  if (request.kind !== 'command') throw new Error(request.text);
  return request.invocation.given;
}

test('flags are options, nested as in a config file', async () => {
  expect(
    await given(
      'compress',
      '--budget',
      '50%',
      '--dense-duration',
      '3ep',
      '--search',
      '5it',
      '--no-preload',
      '--method-weight-decay',
      '0.1',
    ),
  ).toEqual({
    budget: '50%',
    preload: false,
    dense: { duration: '3ep' },
    options: { search: '5it', weightDecay: 0.1 },
  });
});

test('flags win over the config file, key by key', () =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, 'config.yaml');
    writeFileSync(
      file,
      'method: magnitude\nseed: 4\ndense: { duration: 3ep, model: tiny }\noptions: { rounds: 2 }\n',
    );
    expect(
      await given('compress', '--config', file, '--seed', '5', '--dense-duration', '1ep', '--rounds', '7'),
    ).toEqual({
      method: 'magnitude',
      seed: 5,
      dense: { duration: '1ep', model: 'tiny' },
      options: { rounds: 7 },
    });
  }));

test('a JSON file gives the same as a YAML file', () =>
  inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, 'a.json'), '{ "batchSize": 8, "duration": "2ep" }');
    writeFileSync(join(folder, 'a.yaml'), 'batchSize: 8\nduration: 2ep\n');
    const read = (name: string) => given('train', '--config', join(folder, name));
    expect(await read('a.json')).toEqual(await read('a.yaml'));
  }));

test('every method has flags of its own, and help shows them', async () => {
  for (const { manifest } of methods) {
    const names = flagsOf(compressGroups({ method: manifest.name })).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  }
  const { code, stdout } = await winnow(['compress', '--method', 'magnitude', '--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Options of magnitude:\n(.*\n)*? +--rounds /);
  expect(stdout).not.toMatch(/--schedule/);
});

test('every option says what it is', () => {
  for (const { manifest } of methods) {
    for (const { name, field } of flagsOf(compressGroups({ method: manifest.name }))) {
      expect([name, field.description]).toEqual([name, expect.stringMatching(/./)]);
    }
  }
});

test('the presets are allowed options', async () => {
  const preset = new URL('../presets/quickstart.yaml', import.meta.url).pathname;
  const options = z.record(z.string(), z.unknown()).parse(await given('compress', '--config', preset));
  expect(resolveGroups(options, compressGroups(options))).toMatchObject({ method: 'upop', budget: '2x' });
  expect(readFileSync(preset, 'utf8')).toMatch(/^#/);
});

test('methods, datasets and sizes are listed', async () => {
  expect((await winnow(['methods'])).stdout).toMatch(/^upop +\S/m);
  expect((await winnow(['methods', 'upop'])).stdout).toMatch(/--search .*\[search: 10ep\]/);
  expect((await winnow(['datasets'])).stdout).toMatch(/^emoji-category +\S/m);
  const { stdout } = await winnow(['inspect', 'small', '--json']);
  const { parameters, macs } = z
    .looseObject({ parameters: z.number(), macs: z.number() })
    .parse(JSON.parse(stdout));
  expect([(parameters / 1e6).toFixed(1), (macs / 1e9).toFixed(1)]).toEqual(['22.1', '4.6']);
});
