/** The part of fs-native-extensions that is used here; it comes without types. */
declare module 'fs-native-extensions' {
  /** Locks a whole file for this open descriptor; false while another has it. */
  export function tryLock(descriptor: number): boolean;
}
