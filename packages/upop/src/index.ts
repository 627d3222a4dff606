export { upopMethods } from './methods';
export { progress, progressSchedules } from './schedule';
export type { ProgressSchedule } from './schedule';
