export { JobFailed } from './job-queue';
export type { Execute, JobQueue, QueuedJob } from './job-queue';
export { localQueue } from './local-queue';
export type { LocalQueueOptions } from './local-queue';
export { redisQueue } from './redis-queue';
export type { RedisQueueOptions } from './redis-queue';
export { workOn } from './worker';
export type { WorkerOptions } from './worker';
