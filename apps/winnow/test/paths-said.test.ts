import { fieldsOf } from '@winnow/lab';
import { commands } from '../src/cli';

test('every option that says that it takes a path is known as one', () => {
  const missed = commands.flatMap(({ name, groups }) =>
    groups({}).flatMap(({ schema }) =>
      fieldsOf(schema)
        .filter(
          ({ path, accepts, choices }) =>
            path === undefined && choices === undefined && accepts.has('string'),
        )
        .filter(({ description }) => /\b(?:path|folder|file|model)s?\b/i.test(description))
        .map(({ key }) => `${name} --${key}`),
    ),
  );
  expect(missed).toEqual([]);
});
