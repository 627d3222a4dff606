export { JobBusy, JobFailed } from './job-queue';
export type { Execute, JobQueue } from './job-queue';
export { localQueue } from './local-queue';
export type { LocalQueueOptions } from './local-queue';
export { withPassword } from './redis-connection';
export { redisQueue } from './redis-queue';
export type { RedisQueueOptions } from './redis-queue';
export { workOn } from './worker';
export type { WorkerOptions } from './worker';
