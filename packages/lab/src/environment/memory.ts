import { readFileSync, writeFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import type { MemoryProbe } from '@winnow/core';
import { giveBackFreedMemory } from '@winnow/engine';

const BYTES_PER_KIB = 1024;

/**
 * The largest resident size of this process; asked to forget it, the engine lets go of what is free. Where the system cannot set the peak back (elsewhere than on Linux), it is
 * the one since the start, which is not smaller.
 */
export function processMemory(): MemoryProbe {
  return {
    reset: () => {
      giveBackFreedMemory();
      try {
        writeFileSync('/proc/self/clear_refs', '5'); // proc(5): sets the peak resident size back to the present one
      } catch {
        // Then peaks are those since the start.
      }
    },
    peakBytes: () => {
      const kib = /VmHWM:\s+(\d+) kB/.exec(statusText())?.[1];
      return (kib === undefined ? process.resourceUsage().maxRSS : Number(kib)) * BYTES_PER_KIB;
    },
  };
}

function statusText(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

/**
 * Bytes that this process may still take without the system swapping or ending something: what is free of the machine's
 * memory, and of that of the container (cgroups 1 and 2) where it has a limit.
 */
export function availableMemoryBytes(): number {
  const limit = process.constrainedMemory(); // 0, or more than there is, where there is none
  const isLimited = limit > 0 && limit < totalmem();
  // What the container's files have in the system's cache counts as taken there, and would be given back.
  const least = isLimited ? (limit - process.memoryUsage.rss()) / 4 : 0;
  return Math.max(0, Math.min(Math.max(process.availableMemory(), least), freeOfMachine()));
}

/** proc(5): MemAvailable counts what the system would give back; elsewhere it is what nobody uses at all. */
function freeOfMachine(): number {
  try {
    const kib = /MemAvailable:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    return kib === undefined ? freemem() : Number(kib) * BYTES_PER_KIB;
  } catch {
    return freemem();
  }
}
