import type { CompressionMethod, ReconstructionKind } from '@winnow/core';
import { reconstructionKinds } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { firstDifference } from '../src/conformance/law';
import { killedAtEverySave } from '../src/conformance/recovery-laws';
import { compressTiny } from '../src/conformance/subject';
import { crossEncoders, exampleModule, visionTransformers } from '../src/index';

const path = exampleModule(
  new URL('../../../docs/extending.md', import.meta.url),
  new URL('./generated/', import.meta.url),
  '# Adding a method that looks, without training',
);
const { leastVarying: method } = (await import(path)) as { leastVarying: CompressionMethod };
const budget = { unit: 'compressible-parameters', keep: 0.5 } as const;

beforeAll(async () => {
  await startEngine('wasm');
});

describe.each([visionTransformers, crossEncoders])('a reconstruction of a $name', (kind) => {
  const subject = { method, options: {}, isRandom: false, kind, units: [budget.unit] };
  const choice = (of: ReconstructionKind) => ({ reconstruct: { kind: of, examples: 20 } });

  it.each(reconstructionKinds)('%s: no site is worse, and what is kept stays in its budget', async (of) => {
    const { result } = await compressTiny(subject, { budget, ...choice(of) });
    const errors = Object.values(result.reconstruction ?? {});
    expect(errors.length).toBeGreaterThan(0);
    for (const { before, after } of errors) expect(after).toBeLessThanOrEqual(before * (1 + 1e-4) + 1e-9);
  });

  it('ends in the same bytes, killed after every checkpoint and resumed', async () => {
    const expected = await compressTiny(subject, { budget, ...choice('bases') });
    const killed = await killedAtEverySave(subject, choice('bases'));
    expect(firstDifference(killed.params, expected.params)).toBeUndefined();
    expect(killed.decision).toEqual(expected.decision);
  });
});
