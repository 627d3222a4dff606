import type { CompressionMethod } from '@winnow/core';
import { describeMethod, exampleModule } from '../src/index';

// The example of docs/extending.md is a whole method: it has to compile, and to pass every law.
const file = exampleModule(
  new URL('../../../docs/extending.md', import.meta.url),
  new URL('./generated/', import.meta.url),
);
const { dropLast } = (await import(file)) as { dropLast: CompressionMethod };

describeMethod(dropLast, { options: { search: '6it' } });
