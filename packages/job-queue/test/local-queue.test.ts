import { localQueue } from '../src/index';
import { BUSY_MS, CONCURRENCY, describeQueue } from './conformance';

describeQueue(
  'jobs of this process',
  (execute, signal) => {
    const queue = localQueue({ concurrency: CONCURRENCY, signal, execute, busyMs: BUSY_MS });
    return Promise.resolve({ queue, stop: () => queue.close() });
  },
  50,
);
