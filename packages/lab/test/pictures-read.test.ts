import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { z } from 'zod';
import { classificationKind } from '../src/workload/classification';
import { labelledOf, labelledShape } from '../src/workload/pictures-read';

const root = await mkdtemp(join(tmpdir(), 'winnow-read-'));
const pets = join(root, 'train');
beforeAll(() => makePictures(root, { train: 12 }));
afterAll(() => rm(root, { recursive: true, force: true }));

const asked = (options: object) => z.object(labelledShape).safeParse(options);

test('shares are three parts of a hundred', () => {
  expect(labelledOf({ splitShares: '80/10/10', splitSeed: 3, nested: true, other: 1 })).toEqual({
    heldOutShares: { validation: 0.1, test: 0.1 },
    validationSeed: 3,
    nested: true,
  });
  expect(labelledOf({ splitShares: '33.4/33.3/33.3' }).heldOutShares?.test).toBeCloseTo(0.333);
  for (const splitShares of ['70/15', '70/15/16', '100/0/0', '-10/60/50', '7e1/15/15', 'a/b/c', '70/30/0'])
    expect(asked({ splitShares }).error?.message).toMatch(/expected three shares above 0 .* 100 together/);
  expect(asked({ splitSeed: -1 }).success).toBe(false);
  expect(asked({ splitSeed: 2 ** 40 }).success).toBe(false);
  expect(asked({}).data).toEqual({});
});

test('shares, seed and folders below class folders are part of what data are', async () => {
  await rename(join(pets, 'red'), join(root, 'red'));
  await rename(join(pets, 'blue'), join(root, 'blue'));
  await rm(pets, { recursive: true });
  const identify = (options: object) => classificationKind.identify(root, options);
  const usual = await identify({});
  expect(await identify({ splitShares: '70/15/15', splitSeed: 0 })).toEqual(usual);
  expect(await identify({ splitSeed: 1 })).not.toEqual(usual);
  expect(await identify({ splitShares: '50/25/25' })).not.toEqual(usual);
  await rename(join(root, 'red', '0.png'), join(root, 'away.png'));
  const less = await identify({});
  await makePictures(join(root, 'red', 'more'), { train: 1 });
  expect(await identify({})).toEqual(less);
  expect(await identify({ nested: true })).not.toEqual(less);
});
