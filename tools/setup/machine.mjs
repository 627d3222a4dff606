import { run } from './command.mjs';

/** The names in wheels of the processors that native engines are provided for. */
export const MACHINES = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * Why this machine cannot get a native engine, said before anything large is downloaded; undefined when it can.
 * @param needs the commands that are not always needed: `python3` (with pip) to fetch, `make` to build.
 */
export function obstacle(needs = ['python3', 'make']) {
  if (process.platform !== 'linux' || !(process.arch in MACHINES)) {
    return `set-up builds it on Linux (x64, arm64) only, this is ${process.platform} ${process.arch}`;
  }
  const tools = [
    ['python3', ['-m', 'pip', '--version'], 'python3 with pip', 'python3-pip'],
    ['make', ['--version'], 'make', 'build-essential'],
    [process.env.CXX ?? 'g++', ['--version'], 'a C++ compiler', 'build-essential'],
  ];
  for (const [command, args, need, debianPackage] of tools) {
    const isOptional = ['python3', 'make'].includes(command) && !needs.includes(command);
    if (!isOptional && !run(command, args).ok) {
      return `it needs ${need}, which is not here (Debian, Ubuntu: apt install ${debianPackage}), then npm run setup`;
    }
  }
  return undefined;
}

/** Whether an NVIDIA GPU answers. */
export function hasNvidiaGpu() {
  const listed = run('nvidia-smi', ['-L'], { timeoutMs: 20_000 });
  return listed.ok && listed.output.includes('GPU 0');
}
