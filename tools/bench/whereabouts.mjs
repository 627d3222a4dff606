import { readFileSync, readdirSync } from 'node:fs';

/** As Linux counts processor time, on every machine that runs this. */
const TICKS_PER_SECOND = 100;
const STATES = { R: 'running', S: 'asleep', D: 'waiting inside a driver', Z: 'ended', T: 'stopped' };

/**
 * Tells where a process is that does not answer: computing, asleep, or inside a driver, with its processor time and where in the
 * kernel its threads wait. An empty text where the system does not say.
 */
export function whereabouts(pid) {
  try {
    // The name of the program, in brackets, may hold spaces.
    const [state, ...numbers] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    const [user, system] = [numbers[10], numbers[11]].map((ticks) => Number(ticks) / TICKS_PER_SECOND);
    const waits = new Map();
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const place = waitOf(pid, thread);
      waits.set(place, (waits.get(place) ?? 0) + 1);
    }
    const threads = [...waits].map(([place, count]) => `${count} in ${place}`).join(', ');
    const times = `${user.toFixed(1)} s of its own and ${system.toFixed(1)} s in the system`;
    return `${STATES[state] ?? state}, after ${times}; threads: ${threads}`;
  } catch {
    return '';
  }
}

function waitOf(pid, thread) {
  try {
    const place = readFileSync(`/proc/${pid}/task/${thread}/wchan`, 'utf8');
    return place === '' || place === '0' ? 'its own code' : place;
  } catch {
    return 'no place that may be read';
  }
}
