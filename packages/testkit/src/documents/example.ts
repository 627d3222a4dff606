import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Writes the first TypeScript block of a document as a module, with its top-level names exported, so that a test can
 * import it: an example that no longer runs is a failing test.
 * @returns the module's path.
 * @throws {Error} when the document has no TypeScript block.
 */
export function exampleModule(document: URL, folder: URL): string {
  const [, source] = /```ts\n([\s\S]*?)```/.exec(readFileSync(document, 'utf8')) ?? [];
  if (source === undefined) throw new Error(`there is no TypeScript block in ${fileURLToPath(document)}`);
  const path = fileURLToPath(folder);
  mkdirSync(path, { recursive: true });
  const file = join(path, 'example.ts');
  writeFileSync(file, source.replaceAll(/^const /gm, 'export const '));
  return file;
}
