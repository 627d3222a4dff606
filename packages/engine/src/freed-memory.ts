import { backend } from '@tensorflow/tfjs-core';

/**
 * Hands memory that was freed back to the system, where the engine that runs keeps it for the next step (torch does). Between two
 * phases of a run it is as much as the first one took at once, in pieces that the next one has no use for.
 */
export function giveBackFreedMemory(): void {
  const current: object = backend();
  const giveBack: unknown = Reflect.get(current, 'giveBackFreed');
  if (typeof giveBack === 'function') Reflect.apply(giveBack, current, []);
}
