export { lotteryTicketMethods } from './methods';
