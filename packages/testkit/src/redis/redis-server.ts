import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A real server of a test's own, on a free port, that forgets everything when it dies. */
export interface RedisServer {
  readonly url: string;
  /** kill -9 */
  kill(): Promise<void>;
  /** Starts it again, on the same port and empty. */
  start(): Promise<void>;
}

const ATTEMPTS = 200;
const ATTEMPT_MS = 50;

/** The server program that is here, Redis or Valkey; undefined where there is none. */
export function redisProgram(): string | undefined {
  return ['redis-server', 'valkey-server'].find((program) => {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * @param password What clients must give; the address does not have it. None by default.
 * @throws {Error} when there is no such program, or it does not answer.
 */
export async function startRedis(password?: string): Promise<RedisServer> {
  const program = redisProgram();
  if (program === undefined) throw new Error('there is no redis-server and no valkey-server');
  const folder = mkdtempSync(join(tmpdir(), 'winnow-redis-'));
  const port = await freePort();
  let server: ChildProcess | undefined;
  process.once('exit', () => {
    server?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const start = async () => {
    const args = [
      ...['--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder],
      ...(password === undefined ? [] : ['--requirepass', password]),
    ];
    server = spawn(program, args, { stdio: 'ignore' });
    for (let attempt = 0; !(await answers(port)); attempt++) {
      if (attempt === ATTEMPTS) throw new Error(`${program} does not answer on port ${port}`);
      await delay(ATTEMPT_MS);
    }
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    kill: async () => {
      if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    },
  };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [reply]: unknown[] = await once(socket, 'data');
    return /^(?:\+PONG|-NOAUTH)/.test(String(reply));
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return address.port;
}
