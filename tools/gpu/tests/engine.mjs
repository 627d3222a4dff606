/**
 * In place of @winnow/engine in the bundled tests: whatever engine a test asks for, it gets torch on the device that
 * WINNOW_TEST_DEVICE names.
 */
import { startEngine as start } from '../../../packages/engine/src/index';

const ENGINE = 'torch';

export const startEngine = (_, { precision } = {}) =>
  start(ENGINE, { precision, threads: 2, device: process.env.WINNOW_TEST_DEVICE ?? 'cpu' });

export const availableEngines = () => Promise.resolve([{ name: ENGINE, available: true }]);
