import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const compiler = process.env['CXX'] ?? 'g++';
const hasCompiler = spawnSync(compiler, ['-std=c++20', '-E', '-x', 'c++', '/dev/null']).status === 0;
const whereCompiled = hasCompiler ? it : it.skip;

let work = '';

/** The kernels, out of the string in which the addon has them. */
function kernels(): string {
  const source = readFileSync(at('../../addon/device-source.h'), 'utf8');
  const [, found] = /R"cuda\(([\s\S]*)\)cuda"/.exec(source) ?? [];
  if (found === undefined) throw new Error('expected a raw string of CUDA C++');
  return found;
}

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'winnow-device-'));
  writeFileSync(join(work, 'kernels.inc'), kernels());
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

// Rows of whole vectors and of none, with lanes left over in both; operands of both precisions.
whereCompiled.each([
  { dim: 132, bf16: 1 },
  { dim: 67, bf16: 0 },
])(
  "our kernels for GPUs, run thread by thread on the processor, compute a norm's, an activation's and a sum's definition: %o",
  ({ dim, bf16 }) => {
    const program = join(work, `emulated-${dim}`);
    const options = ['-std=c++20', '-O1', '-pthread', `-DDIM=${dim}`, `-DBF16=${bf16}`, `-I${work}`];
    const compiled = spawnSync(compiler, [...options, at('emulated.cc'), '-o', program], {
      encoding: 'utf8',
    });
    expect({ status: compiled.status, errors: compiled.status === 0 ? '' : compiled.stderr }).toEqual({
      status: 0,
      errors: '',
    });
    const { status, stdout } = spawnSync(program, { encoding: 'utf8' });
    const lines = stdout.trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([]);
    expect(lines.length).toBe(11);
    expect(status).toBe(0);
  },
);
