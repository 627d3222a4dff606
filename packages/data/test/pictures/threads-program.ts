import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Builds the program of the threads from its source into a folder, as the package's build does. @returns its path. */
export async function threadsProgram(folder: string): Promise<string> {
  const path = `${folder}/picture-worker.mjs`;
  const sharp = createRequire(import.meta.url).resolve('sharp');
  await build({
    entryPoints: [fileURLToPath(new URL('../../src/worker/picture-worker.ts', import.meta.url))],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@winnow/source'],
    // It is native, and the folder has no packages.
    alias: { sharp },
    external: [sharp],
    logLevel: 'error',
  });
  return path;
}
