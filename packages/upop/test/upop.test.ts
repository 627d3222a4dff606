import { tensor1d } from '@tensorflow/tfjs-core';
import {
  type CompressionRun,
  type Decision,
  type Phase,
  type TensorTree,
  disposeTree,
  entriesOf,
  keepKind,
  keptUnits,
  mapTree,
  removalTarget,
  selectUnits,
  tidyTree,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { type TinyModel, tinyDualEncoder, tinyModel } from '@winnow/testkit';
import { upopOptions } from '../src/options';
import { searchProgressively } from '../src/upop';

beforeAll(async () => {
  await startEngine('wasm');
});

type Step = { masks: Record<string, number[]> };

/** A run whose gradients are given instead of computed: what UPop makes of them is plain arithmetic. */
function rehearsal(
  gradientOf: (siteId: string, unit: number, step: number) => number,
  keep: number,
  { model, params }: TinyModel = tinyModel(),
) {
  const steps: Step[] = [];
  const run: CompressionRun = {
    model,
    params,
    task: {
      name: 'none',
      metric: 'none',
      ...{ predict: never, loss: never, divergence: never, distillation: never, scorer: never },
    },
    budget: { unit: 'compressible-parameters', keep },
    seed: 1,
    stepsIn: () => 20,
    train: (_name, phase) => Promise.resolve(rehearse(phase)),
    note: never,
    observe: never,
    sensitivities: never,
    once: never,
  };
  function rehearse<P extends TensorTree, S extends TensorTree>(phase: Phase<P, S>): { params: P; state: S } {
    let current = {
      params: mapTree(phase.params, (leaf) => leaf.clone()),
      state: mapTree(phase.state, (l) => l.clone()),
    };
    for (let step = 0; step < phase.steps; step++) {
      const previous = current;
      current = tidyTree(() => {
        const gradients = mapTree(previous.params, (leaf, path) =>
          path.startsWith('masks.')
            ? tensor1d(Array.from({ length: leaf.size }, (_, unit) => gradientOf(path.slice(6), unit, step)))
            : leaf.clone(),
        );
        const moved = phase.afterStep?.({ step, params: previous.params, gradients, state: previous.state });
        return mapTree(moved ?? previous, (leaf) => leaf.clone()) as typeof previous;
      });
      disposeTree([previous.params, previous.state]);
      const masks = entriesOf(current.params).filter(([path]) => path.startsWith('masks.'));
      steps.push({
        masks: Object.fromEntries(masks.map(([path, mask]) => [path.slice(6), [...mask.dataSync()]])),
      });
    }
    return current;
  }
  return { run, steps };
}

function never(): never {
  throw new Error('not part of the rehearsal');
}

const options = (values: object) => upopOptions.parse({ search: '20it', interval: 1, ...values });
const units = (decision: Decision, site: string) => {
  const found = decision.sites[site];
  return found !== undefined && keepKind.is(found) ? found.kept : [];
};

it('prunes the largest signed sums first, and ends with masks of exactly 0 and 1', async () => {
  // In every site unit 0 has the largest gradient and the last unit the most negative one.
  const { run, steps } = rehearsal((_site, unit) => 1 - unit, 0.5);
  const { decision, params } = await searchProgressively(run, options({}));
  for (const site of run.model.sites) {
    const kept = keptUnits(decision, site);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => site.units - kept.length + i));
    expect(kept.length).toBeLessThan(site.units);
  }
  for (const mask of Object.values(steps.at(-1)?.masks ?? {}))
    expect(mask.every((z) => z === 0 || z === 1)).toBe(true);
  disposeTree(params);
  disposeTree(run.params);
});

it('gives 1 − p_t/p to what is pruned now and 1 to all others, so a unit may come back', async () => {
  // Unit 0 looks worst until step 8, then best: the sum turns negative and it returns.
  const { run, steps } = rehearsal(
    (_site, unit, step) => (unit === 0 ? (step < 8 ? 3 : -9) : -0.01 * unit),
    0.8,
  );
  const { decision, params } = await searchProgressively(run, options({}));
  const maskOfUnit0 = steps.map(({ masks }) => masks['blocks.0.ffn']?.[0] ?? Number.NaN);
  expect(maskOfUnit0[6]).toBeCloseTo(1 - Math.sqrt(0.5 * (1 - Math.cos((Math.PI * 7) / 20))), 5);
  expect(maskOfUnit0.at(-1)).toBe(1);
  expect(units(decision, 'blocks.0.ffn')).toContain(0);
  steps.slice(1).forEach(({ masks }) => {
    const values = new Set(Object.values(masks).flat());
    expect(values.size).toBeLessThanOrEqual(2);
    expect(values).toContain(1);
  });
  disposeTree([params, run.params]);
});

it('selects by S_T: the walk down one standardised ranking until the budget is covered', async () => {
  const noise = (site: string, unit: number, step: number) =>
    Math.sin(site.length * 7.1 + unit * 13.7 + step * 0.3);
  const { run } = rehearsal(noise, 0.4);
  const { decision, params } = await searchProgressively(run, options({ interval: 0 }));
  const sums = Object.fromEntries(
    run.model.sites.map((site) => [
      site.id,
      Array.from({ length: site.units }, (_, unit) => {
        let sum = 0;
        for (let step = 0; step < 20; step++) sum += noise(site.id, unit, step);
        return sum;
      }),
    ]),
  );
  const z = (structure: string) => {
    const group = run.model.sites
      .filter((site) => site.structure === structure)
      .flatMap((site) => sums[site.id] ?? []);
    const mean = group.reduce((a, b) => a + b, 0) / group.length;
    const deviation = Math.sqrt(group.reduce((a, b) => a + (b - mean) ** 2, 0) / group.length);
    return (value: number) => (value - mean) / deviation;
  };
  const standard = new Map(['attention', 'ffn'].map((structure) => [structure, z(structure)]));
  const priorities = Object.fromEntries(
    run.model.sites.map((site) => [
      site.id,
      (sums[site.id] ?? []).map((sum) => standard.get(site.structure)?.(sum) ?? Number.NaN),
    ]),
  );
  const expected = selectUnits(run.model.sites, priorities, removalTarget(run.model, run.budget));
  expect(decision).toEqual(expected);
  disposeTree([params, run.params]);
});

it('with each-step ranks the sum of standardised gradients itself, as in Algorithm 1', async () => {
  // FFN gradients agree over all steps, those of attention change their sign with the step: their sum is small.
  const noise = (site: string, unit: number, step: number) =>
    Math.sin(site.length * 7.1 + unit * 13.7) * (site.endsWith('ffn') || step % 2 === 0 ? 1 : -0.8) +
    0.1 * Math.sin(unit * 3.1 + step * 5.3);
  const { run } = rehearsal(noise, 0.5);
  const { sites } = run.model;
  const { decision, params } = await searchProgressively(run, options({ standardize: 'each-step' }));
  const sums = Object.fromEntries(sites.map(({ id, units }) => [id, new Float64Array(units)]));
  for (let step = 0; step < 20; step++) {
    for (const structure of ['attention', 'ffn']) {
      const group = sites.filter((site) => site.structure === structure);
      const all = group.flatMap(({ id, units }) =>
        Array.from({ length: units }, (_, unit) => noise(id, unit, step)),
      );
      const mean = all.reduce((a, b) => a + b, 0) / all.length;
      const deviation = Math.sqrt(all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length);
      for (const { id } of group) {
        sums[id]?.forEach((sum, unit, of) => {
          of[unit] = sum + (noise(id, unit, step) - mean) / deviation;
        });
      }
    }
  }
  expect(decision).toEqual(selectUnits(sites, sums, removalTarget(run.model, run.budget)));
  disposeTree([params, run.params]);
});

describe.each(['accumulated', 'each-step'] as const)(
  'two towers stand in one ranking (%s)',
  (standardize) => {
    const noise = (site: string, unit: number) => Math.sin(site.length * 7.1 + unit * 13.7);

    it.each([
      ['vision', 'text'],
      ['text', 'vision'],
    ])(
      'in which units of the %s tower stay where those of the %s tower look worse',
      async (favoured, other) => {
        const gradientOf = (site: string, unit: number) =>
          noise(site, unit) + (site.startsWith(`${favoured}.`) ? -1 : 1);
        const { run } = rehearsal(gradientOf, 0.5, tinyDualEncoder());
        const { decision, params } = await searchProgressively(run, options({ standardize }));
        const keptOf = (tower: string, structure: string) => {
          const sites = run.model.sites.filter(
            (site) => site.tower === tower && site.structure === structure,
          );
          const kept = sites.reduce((sum, site) => sum + keptUnits(decision, site).length, 0);
          return kept / sites.reduce((sum, site) => sum + site.units, 0);
        };
        for (const structure of ['attention', 'ffn']) {
          expect(keptOf(favoured, structure)).toBeGreaterThan(0.7);
          expect(keptOf(other, structure)).toBeLessThan(0.35);
        }
        disposeTree([params, run.params]);
      },
    );

    it('in which the worst units of each go first where neither is favoured', async () => {
      // Both towers have the same sites, so the same gradients make the same decision in each.
      const gradientOf = (site: string, unit: number) => noise(site.slice(site.indexOf('.')), unit);
      const { run } = rehearsal(gradientOf, 0.5, tinyDualEncoder());
      const { decision, params } = await searchProgressively(run, options({ standardize }));
      const keptOf = (tower: string) =>
        run.model.sites
          .filter((site) => site.tower === tower)
          .map((site) => [site.id.slice(tower.length), keptUnits(decision, site)] as const);
      const different = keptOf('vision').filter(
        ([id, kept]) => JSON.stringify(kept) !== JSON.stringify(new Map(keptOf('text')).get(id)),
      );
      // The budget ends within a tie: one tower may have lost the last unit alone.
      expect(different.length).toBeLessThanOrEqual(1);
      disposeTree([params, run.params]);
    });
  },
);

it.each(['accumulated', 'each-step'] as const)(
  'ℓ₁ penalties add a constant to every gradient of a group, and %s standardising removes it',
  async (standardize) => {
    const noise = (site: string, unit: number, step: number) =>
      Math.sin(site.length * 3.3 + unit * 5.9 + step * 0.7);
    const decisions: Decision[] = [];
    for (const constant of [0, 0.25]) {
      const { run } = rehearsal((...at) => noise(...at) + constant, 0.5);
      const { decision, params } = await searchProgressively(run, options({ standardize }));
      decisions.push(decision);
      disposeTree([params, run.params]);
    }
    expect(decisions[1]).toEqual(decisions[0]);
  },
);
