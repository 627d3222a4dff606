import { join, resolve } from 'node:path';
import { fieldsOf } from '../src/options/fields';
import { absolutePaths, homeExpanded, pathOption, pathsIn } from '../src/options/path';
import {
  type PathOptions,
  absolutePathsIn,
  homeExpandedIn,
  locate,
  pathOptionsOf,
  withoutPaths,
} from '../src/options/path-options';
import { z } from 'zod';

const schema = z.object({
  data: pathOption('dataset').default('emoji-category').describe('Data'),
  tickets: pathOption('files').optional().describe('Tickets'),
  onto: pathOption('datasets').optional(),
  out: pathOption('output').optional(),
  seed: z.int().default(0),
});
const groups = [
  { title: 'Own', schema },
  { key: 'dense', title: 'Dense', schema: z.object({ tokenizer: pathOption('tokenizer').optional() }) },
];
const home = process.env['HOME'] ?? '';

test('a leading ~/ is the home folder; nothing else is', () => {
  expect(homeExpanded('~/pictures')).toBe(join(home, 'pictures'));
  expect(homeExpanded('~')).toBe(join(home));
  for (const path of ['~user/x', 'a/~/b', './~/x', '$HOME/x', '']) expect(homeExpanded(path)).toBe(path);
  expect(
    schema.parse({ tickets: '~/a.json,b.json, ~/c.json', onto: 'retrieval:~/d,classification:e' }),
  ).toMatchObject({
    data: 'emoji-category',
    tickets: `${join(home, 'a.json')},b.json, ${join(home, 'c.json')}`,
    onto: `retrieval:${join(home, 'd')},classification:e`,
  });
});

test('it is so before options are checked, too, in every group', () => {
  const given = { data: '~/pics', seed: '~/3', out: '~/run', dense: { tokenizer: '~/t', other: '~/o' } };
  expect(homeExpandedIn(given, groups)).toEqual({
    data: join(home, 'pics'),
    seed: '~/3',
    out: join(home, 'run'),
    dense: { tokenizer: join(home, 't'), other: '~/o' },
  });
});

test('an option of paths keeps its default, its description and its kind', () => {
  expect(fieldsOf(schema)[0]).toMatchObject({
    key: 'data',
    defaultValue: 'emoji-category',
    description: 'Data',
    path: 'dataset',
  });
  expect(() => schema.parse({ data: 'a\0b' })).toThrow(/no NUL character/);
});

test('embedded datasets are names and no paths', () => {
  expect(pathsIn('dataset', 'emoji-category')).toEqual([]);
  expect(pathsIn('datasets', 'retrieval:emoji-names,classification:pics')).toEqual(['pics']);
  expect(absolutePaths('datasets', 'retrieval:emoji-names,classification:pics')).toBe(
    `retrieval:emoji-names,classification:${resolve('pics')}`,
  );
});

test('what a run is known by has no paths in it', () => {
  const paths = pathOptionsOf(groups);
  expect([...paths.keys()].sort()).toEqual(['data', 'dense.tokenizer', 'onto', 'tickets']);
  expect(withoutPaths({ data: 'a', seed: 1, dense: { tokenizer: 'b', model: 'nano' } }, paths)).toEqual({
    seed: 1,
    dense: { model: 'nano' },
  });
});

test('what a run works on is where it was, or as it was typed, or missing', () => {
  const paths = pathOptionsOf(groups);
  const [there, gone] = [process.cwd(), resolve('no such folder')];
  const options = { data: '.', tickets: 'none.json' };
  expect(locate({ options, paths: { data: there, tickets: gone } }, paths, 'recorded')).toEqual({
    paths: { data: there, tickets: gone },
    missing: [{ key: 'tickets', typed: 'none.json', recorded: gone }],
  });
  expect(locate({ options: { data: '.' }, paths: { data: there } }, paths, 'typed').paths).toEqual({
    data: '.',
  });
  expect(locate({ options: { data: '.' }, paths: { data: gone } }, paths, 'recorded').paths).toEqual({
    data: '.',
  });
});

test('a model of the Hub is no path: neither looked for nor completed, and its recorded commit wins', () => {
  const paths: PathOptions = new Map([['from', 'model']]);
  const [options, pinned] = [{ from: 'hf:a/b' }, `hf:a/b@${'0'.repeat(40)}`];
  expect(absolutePathsIn(options, paths)).toEqual({});
  expect(absolutePathsIn({ from: 'a/b' }, paths)).toEqual({ from: resolve('a/b') });
  expect(locate({ options, paths: { from: pinned } }, paths, 'recorded')).toEqual({
    paths: { from: pinned },
    missing: [],
  });
  expect(locate({ options, paths: { from: pinned } }, paths, 'typed').paths).toEqual(options);
});
