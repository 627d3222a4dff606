import { localQueue } from '../src/index';
import { CONCURRENCY, describeQueue } from './conformance';

describeQueue(
  'jobs of this process',
  (execute, signal) => {
    const queue = localQueue({ concurrency: CONCURRENCY, signal, execute });
    return Promise.resolve({ queue, stop: () => queue.close() });
  },
  50,
);
