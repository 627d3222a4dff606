import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Writes the first TypeScript block of a document, or of what stands under one of its headings, as a module with its
 * top-level names exported, so that a test can import it: an example that no longer runs is a failing test.
 * @param heading The heading's whole line.
 * @returns the module's path.
 * @throws {Error} when there is no such heading or no TypeScript block.
 */
export function exampleModule(document: URL, folder: URL, heading = ''): string {
  const text = readFileSync(document, 'utf8');
  const start = heading === '' ? 0 : text.indexOf(`${heading}\n`);
  const [, source] = start < 0 ? [] : (/```ts\n([\s\S]*?)```/.exec(text.slice(start)) ?? []);
  if (source === undefined) {
    const under = heading === '' ? '' : ` under "${heading}"`;
    throw new Error(`there is no TypeScript block${under} in ${fileURLToPath(document)}`);
  }
  const path = fileURLToPath(folder);
  mkdirSync(path, { recursive: true });
  const name = heading.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  const file = join(path, `example${name}.ts`);
  writeFileSync(file, source.replaceAll(/^const /gm, 'export const '));
  return file;
}
