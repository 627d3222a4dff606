import { join, parse, resolve } from 'node:path';
import { UserError } from '@winnow/core';

/**
 * The files that each picture is drawn into, without their ending: of its name, and where several have the same, numbered.
 * @param endings Of the files that are written.
 * @throws {UserError} when a drawing would take the place of a picture.
 */
export function drawingFiles(
  paths: readonly string[],
  folder: string,
  endings: readonly string[],
): ReadonlyMap<string, string> {
  const originals = new Set(paths.map((path) => resolve(path)));
  const taken = new Set<string>();
  return new Map(
    paths.map((path) => {
      const { name } = parse(path);
      let stem = join(folder, name);
      for (let number = 2; taken.has(stem); number++) stem = join(folder, `${name}-${number}`);
      taken.add(stem);
      const replaced = endings
        .map((ending) => `${stem}${ending}`)
        .find((file) => originals.has(resolve(file)));
      if (replaced !== undefined)
        throw new UserError(`--drawings: ${replaced} is a picture that is asked about: name another folder`);
      return [path, stem];
    }),
  );
}
