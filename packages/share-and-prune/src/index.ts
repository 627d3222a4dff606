export { shareAndPruneMethods } from './methods';
