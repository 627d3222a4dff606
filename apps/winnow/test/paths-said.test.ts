import { flagsOf } from '../src/arguments/flag';
import { commands } from '../src/cli';

test('every option that says that it takes a path is known as one', () => {
  const missed = commands.flatMap(({ name, groups }) =>
    flagsOf(groups({})).flatMap(({ name: flag, field }) =>
      field.path === undefined &&
      field.choices === undefined &&
      field.accepts.has('string') &&
      /\b(?:path|folder|file|model)s?\b/i.test(field.description)
        ? [`${name} --${flag}`]
        : [],
    ),
  );
  expect(missed).toEqual([]);
});
