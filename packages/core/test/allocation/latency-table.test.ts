import { memory } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { startEngine } from '@winnow/engine';
import { budgetOfSites, leastShare, timedCosts } from '../../src/allocation/costs';
import {
  type LatencyQuestion,
  type LatencyTable,
  latencyTable,
  predictedMs,
  siteMs,
} from '../../src/allocation/latency-table';
import { type Site, cloneTree, disposeTree, visionTransformer } from '../../src/index';
import { perturbedParams, smallConfigs } from '../model/random-model';

beforeAll(() => startEngine('wasm'));

const site = (id: string, units: number) => ({ id, units });
const table: LatencyTable = {
  denseMs: 20,
  kinds: [
    {
      structure: 'ffn',
      sites: ['a', 'b'],
      rows: [
        { units: 8, savedMs: 4 },
        { units: 16, savedMs: 2 },
        { units: 32, savedMs: 0 },
      ],
    },
  ],
};

it('adds up what sites save, on the line between widths', () => {
  expect(predictedMs(table, {})).toBe(20);
  expect(predictedMs(table, { a: 16, b: 12 })).toBe(20 - 2 - 3);
  expect(predictedMs(table, { a: 1 })).toBe(16);
  expect(siteMs(table, site('a', 32), 8)).toBe(0);
  expect(siteMs(table, site('b', 32), 24)).toBe(3);
  expect(() => siteMs(table, site('c', 32), 8)).toThrow('the latency of c was not measured');
});

describe('of a model', () => {
  const [config] = fc.sample(smallConfigs, { seed: 3, numRuns: 1 });
  if (config === undefined) throw new Error('there is no small model');
  const model = visionTransformer(config);

  it('times every kind of site at ascending widths up to all units; what is wider never saves more', async () => {
    const params = perturbedParams(model, 1);
    const before = memory().numTensors;
    const widths: number[] = [];
    const found = await latencyTable({
      model,
      params,
      batch: undefined,
      taskOf: (cut) => ({
        predict: (own) => {
          widths.push(cut.sites.reduce((sum, { units }) => sum + units, 0));
          return cloneTree(own);
        },
      }),
    });
    expect(memory().numTensors).toBe(before);
    disposeTree(params);
    expect(found.denseMs).toBeGreaterThan(0);
    expect(found.kinds.flatMap(({ sites }) => sites).toSorted()).toEqual(
      model.sites.map(({ id }) => id).toSorted(),
    );
    const all = model.sites.reduce((sum, { units }) => sum + units, 0);
    expect(Math.max(...widths)).toBe(all);
    expect(Math.min(...widths)).toBeLessThan(all);
    for (const { sites, rows } of found.kinds) {
      const own = model.sites.find(({ id }) => id === sites[0]);
      expect(rows.at(-1)).toEqual({ units: own?.units, savedMs: 0 });
      rows.slice(1).forEach(({ units, savedMs }, place) => {
        expect(units).toBeGreaterThan(rows[place]?.units ?? NaN);
        expect(savedMs).toBeLessThanOrEqual(rows[place]?.savedMs ?? NaN);
        expect(savedMs).toBeGreaterThanOrEqual(0);
      });
    }
  });
});

it('stops on request', async () => {
  const question = { model: { sites: [{ ...site('a', 8), structure: 'ffn', tower: 'vision' }] } };
  const signal = AbortSignal.abort();
  await expect(latencyTable({ ...question, signal } as unknown as LatencyQuestion)).rejects.toThrow(
    'stopped on request',
  );
});

it('a budget of milliseconds leaves the sites what is not fixed, or says what can be reached', () => {
  const sites = [site('a', 32), site('b', 32)] as unknown as readonly Site[];
  const costs = timedCosts(table);
  const budgetFor = (keep: number, multiple = 1) =>
    budgetOfSites(sites, costs, { keep, multiple, what: 'latency' });
  expect(sites.map((own) => costs.costOf(own, own.units))).toEqual([4, 4]);
  expect(leastShare(sites, costs)).toBeCloseTo(0.6, 9);
  expect(leastShare(sites, costs, 16)).toBeCloseTo(0.8, 9);
  expect(budgetFor(1)).toBe(8);
  expect(budgetFor(0.8)).toBeCloseTo(4, 9);
  expect(() => budgetFor(0.5)).toThrow(/50.00 % of the latency cannot be reached.*60.00 %/);
  expect(() => budgetFor(0)).toThrow(/more than 0/);
});
