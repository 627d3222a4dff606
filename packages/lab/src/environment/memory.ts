import { readFileSync, writeFileSync } from 'node:fs';
import type { MemoryProbe } from '@winnow/core';

const BYTES_PER_KIB = 1024;

/**
 * The largest resident size of this process. Where the system cannot set the peak back (elsewhere than on Linux), it is
 * the one since the start, which is not smaller.
 */
export function processMemory(): MemoryProbe {
  return {
    reset: () => {
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
