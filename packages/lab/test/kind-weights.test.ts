import { type Site, type SiteCurve, keptUnits } from '@winnow/core';
import { weighedCurves } from '../src/planning/kind-weights';

const site = (id: string, structure: string, units: number) =>
  ({ id, structure, tower: 'vision', units, unitCost: { parameters: 1, macs: 1 } }) as unknown as Site;
const sites = [site('a', 'attention', 4), site('b', 'ffn', 4), site('c', 'ffn', 2)];
const curve = (units: number): SiteCurve => {
  const errors = Array.from({ length: units }, (_, gone) => gone);
  return { removed: errors.slice(1), errors, best: errors };
};
const curves = new Map(sites.map(({ id, units }) => [id, curve(units)]));

it('halves one kind at a time, and makes its error the loss that this adds', async () => {
  const asked: [string, number[]][] = [];
  const found = await weighedCurves({
    model: { sites },
    curves,
    multiple: 1,
    addedLoss: (decision, kind) => {
      const kept = sites.map((own) => keptUnits(decision, own).length);
      asked.push([kind, kept]);
      return Promise.resolve(kind === 'vision attention' ? 1 : 9);
    },
  });
  expect(asked.map(([kind]) => kind)).toEqual(['vision attention', 'vision ffn']);
  const [[, attention], [, hidden]] = asked as [[string, number[]], [string, number[]]];
  expect(attention).toEqual([2, 4, 2]);
  expect([hidden[0], (hidden[1] ?? 0) + (hidden[2] ?? 0)]).toEqual([4, 3]);
  // An error of 2 was predicted of the first, and of 3 of the second.
  expect(found.get('a')?.best).toEqual([0, 0.5, 1, 1.5]);
  expect(found.get('b')?.errors).toEqual([0, 3, 6, 9]);
  expect(found.get('c')?.removed).toEqual([1]);
});

it('a kind that adds nothing counts a little, and nothing changes where no kind adds anything', async () => {
  const weigh = (losses: Readonly<Record<string, number>>) =>
    weighedCurves({
      model: { sites },
      curves,
      multiple: 1,
      addedLoss: (_, kind) => Promise.resolve(losses[kind] ?? NaN),
    });
  const chance = await weigh({ 'vision attention': -0.1, 'vision ffn': 3 });
  expect(chance.get('a')?.best[1]).toBeCloseTo(0.1, 9);
  expect(chance.get('b')?.best[1]).toBeCloseTo(1, 9);
  expect(await weigh({ 'vision attention': -1, 'vision ffn': 0 })).toBe(curves);
});
