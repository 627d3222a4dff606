import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { inTemporaryFolder, makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const TINY = ['--engine', 'wasm', '--batch-size', '4', '--seed', '3'];

test('compress to a ticket, inspect, evaluate, export and go on from it', () =>
  inTemporaryFolder(async (root) => {
    const at = (...path: string[]) => join(root, ...path);
    await makePictures(at('pictures'));
    const found = await winnow([
      'compress',
      ...['--method', 'lottery-ticket', '--data', at('pictures'), ...TINY],
      ...['--dense-image-size', '16', '--dense-patch-size', '8', '--dense-duration', '4it'],
      ...['--budget', '40%', '--round', '3it', '--original-fraction', '0.3', '--rewind', '2it'],
      ...['--retrain', '4it', '--out', at('ticket')],
    ]);
    expect(found.stderr).toMatch(
      /keeping 40 % of the compressible-parameters: rewind 2it .*round-1 3it .*round-2 3it /,
    );
    expect(found.code).toBe(0);
    const summary = z
      .looseObject({
        ratios: z.record(z.string(), z.number()),
        achieved: z.object({ removed: z.number(), asked: z.number(), total: z.number() }),
        compressed: z.looseObject({ retrained: z.record(z.string(), z.number()), parameters: z.number() }),
      })
      .parse(JSON.parse(readFileSync(at('ticket', 'summary.json'), 'utf8')));
    expect(summary.achieved.removed).toBe(Math.ceil(0.6 * summary.achieved.total));
    expect(summary.ratios['compressible-parameters']).toBeCloseTo(2.5, 3);
    expect(summary.ratios['macs']).toBe(1);
    expect(summary.ratios['bytes']).toBeGreaterThan(1.5);

    const inspected = await winnow(['inspect', at('ticket')]);
    expect(inspected.stdout).toMatch(/Single weights are masked: DeiT of/);
    expect(inspected.stdout).toMatch(/│ all .* 40\.0 % │/);
    const facts = z
      .looseObject({ storedBytes: z.int(), parameters: z.int(), masks: z.array(z.unknown()) })
      .parse(JSON.parse((await winnow(['inspect', at('ticket'), '--json'])).stdout));
    expect(facts.parameters).toBe(summary.compressed.parameters);
    const weights = readFileSync(at('ticket', 'model', 'model.safetensors'));
    expect(facts.storedBytes).toBe(weights.byteLength - 8 - Number(weights.readBigUInt64LE(0)));

    const scored = async (model: string) => {
      const { stdout } = await winnow([
        'evaluate',
        model,
        '--data',
        at('pictures'),
        '--engine',
        'wasm',
        '--json',
      ]);
      return z.looseObject({ scores: z.unknown() }).parse(JSON.parse(stdout)).scores;
    };
    expect(await scored(at('ticket'))).toEqual(summary.compressed.retrained);

    expect((await winnow(['export', at('ticket'), '--out', at('whole')])).code).toBe(0);
    expect(await scored(at('whole'))).toEqual(summary.compressed.retrained);
    const whole = statSync(at('whole', 'model.safetensors')).size;
    expect(whole).toBeGreaterThan(weights.byteLength * 1.5);

    const again = await winnow(['compress', '--from', at('ticket'), '--data', at('pictures'), ...TINY]);
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/start from the dense model/);
    const inMacs = await winnow([
      ...[
        'compress',
        '--method',
        'random-ticket',
        '--budget-unit',
        'macs',
        '--data',
        at('pictures'),
        ...TINY,
      ],
      ...['--dense-image-size', '16', '--dense-patch-size', '8', '--out', at('none')],
    ]);
    expect(inMacs.code).toBe(2);
    expect(inMacs.stderr).toMatch(/removes parameters and no multiply–accumulates/);
    const inMultiples = await winnow([
      ...['compress', '--method', 'random-ticket', '--multiple', '8', '--data', at('pictures'), ...TINY],
      ...['--dense-image-size', '16', '--dense-patch-size', '8', '--out', at('none')],
    ]);
    expect(inMultiples.code).toBe(2);
    expect(inMultiples.stderr).toMatch(/leaves every width as it is: multiples of 8 have no use/);
  }));
