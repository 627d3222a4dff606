import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CompressionMethod } from '@winnow/core';
import { describeMethod } from '../src/index';

// The example of docs/extending.md is a whole method: it has to compile, and to pass every law.
const guide = readFileSync(fileURLToPath(new URL('../../../docs/extending.md', import.meta.url)), 'utf8');
const [, source] = /```ts\n([\s\S]*?)```/.exec(guide) ?? [];
const folder = new URL('./generated/', import.meta.url);
mkdirSync(folder, { recursive: true });
const file = fileURLToPath(new URL('extending.ts', folder));
writeFileSync(file, source ?? '');
const { dropLast } = (await import(file)) as { dropLast: CompressionMethod };

describeMethod(dropLast, { options: { search: '6it' } });
