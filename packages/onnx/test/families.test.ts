import { startEngine } from '@winnow/engine';
import { dualModels, textModels, visionModels } from './families';
import { differences } from './parity';

beforeAll(async () => {
  await startEngine('wasm');
});

const all = Object.entries({ ...visionModels, ...textModels, ...dualModels });

describe('the answer of the file is the engine’s', () => {
  test.each(all)('%s', async (_, config) => {
    for (const own of await differences(config)) expect(own).toBeLessThan(1e-4);
  });

  test.each(all)('%s, in float16 and a later opset', async (_, config) => {
    for (const own of await differences(config, { precision: 'f16', opset: 20 }))
      expect(own).toBeLessThan(2e-2);
  });
});
