import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { complaint, run } from './command.mjs';
import { sha256Of } from './content.mjs';
import { MACHINES } from './machine.mjs';
import { pins as pinned } from './pinned-wheels.mjs';

const PINS = 'tools/setup/pinned-wheels.mjs';

/**
 * @typedef {object} Pin one wheel of PyPI
 * @property {string} name
 * @property {string} version
 * @property {string} sha256
 */

/** @returns {Pin[]} the wheels of a processor architecture, as the repository pins them. */
export function pinnedWheels(arch = process.arch) {
  return Object.entries(pinned[arch] ?? {}).map(([name, pin]) => ({ name, ...pin }));
}

/**
 * @returns {Pin} the one of this name.
 * @throws {Error} when there is none.
 */
export function pinOf(name, arch = process.arch) {
  const found = pinnedWheels(arch).find((pin) => pin.name === name);
  if (found === undefined) throw new Error(`${PINS} pins no wheel of ${name} for ${arch}`);
  return found;
}

/** Writes a name as names are compared: PEP 503, and in wheels' names with `_`. */
const normal = (name) => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

/**
 * Checks that a folder holds the wheels that were asked for, byte by byte, and nothing else.
 * @param {Pin[]} pins
 * @returns {string[]} the files, in the order of the pins.
 * @throws {Error} in one line, which names the file.
 */
export function checkedWheels(folder, pins) {
  const files = readdirSync(folder).map((file) => {
    const [name, version] = file.split('-');
    return { file, name: normal(name), version };
  });
  const isAsked = ({ name, version }) =>
    pins.some((pin) => normal(pin.name) === name && pin.version === version);
  const stray = files.find((file) => !isAsked(file));
  if (stray !== undefined)
    throw new Error(`expected ${pins.map(({ name }) => name).join(', ')}, got ${stray.file}`);
  return pins.map(({ name, version, sha256 }) => {
    const [found, second] = files.filter((file) => file.name === normal(name));
    if (found === undefined || second !== undefined)
      throw new Error(
        `expected one wheel of ${name} ${version}, got ${second === undefined ? 'none' : 'more'}`,
      );
    const path = join(folder, found.file);
    const hash = sha256Of(path);
    if (hash === sha256) return path;
    throw new Error(`${found.file} was not unpacked: its SHA-256 is ${hash}, and ${PINS} says ${sha256}`);
  });
}

/**
 * pip's options for the wheels of a processor architecture. The shared libraries do not depend on the Python that came
 * with them, so any machine takes the same wheel. pip takes wheels by the exact names of their platforms, and they are
 * built for many.
 */
export function pipTarget(arch) {
  const versions = Array.from({ length: 24 }, (_, index) => `manylinux_2_${index + 5}`);
  const platforms = ['manylinux2010', 'manylinux2014', ...versions];
  return [
    ...['--only-binary=:all:', '--implementation', 'cp', '--python-version', '3.12', '--abi', 'cp312'],
    ...['--abi', 'abi3', '--abi', 'none', '--platform', 'any'],
    ...platforms.flatMap((platform) => ['--platform', `${platform}_${MACHINES[arch]}`]),
  ];
}

/**
 * Fetches wheels into a folder of their own and checks them.
 * @param {Pin[]} pins
 * @returns {string[]} the files.
 * @throws {Error} in one line, when they cannot be had or are not the ones that are pinned.
 */
export function fetchWheels(folder, pins, { timeoutMs } = {}) {
  const downloaded = run(
    'python3',
    [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--retries', '2', '--no-deps'],
      ...pipTarget(process.arch),
      ...['--dest', folder],
      ...pins.map(({ name, version }) => `${name}==${version}`),
    ],
    { timeoutMs },
  );
  if (!downloaded.ok) {
    const names = pins.map(({ name, version }) => `${name} ${version}`).join(', ');
    throw new Error(`pip could not fetch ${names} (${complaint(downloaded.output)})`);
  }
  return checkedWheels(folder, pins);
}

const UNPACK = `
import re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if re.match(sys.argv[3], name)])
`;

/**
 * Unpacks what is wanted of a wheel, and removes it.
 * @param {string} parts a regular expression, as Python reads it, for the beginning of names
 */
export function unpackWheel(file, into, parts) {
  const unpacked = run('python3', ['-c', UNPACK, file, into, parts]);
  if (!unpacked.ok) throw new Error(`${file} could not be unpacked: ${complaint(unpacked.output)}`);
  rmSync(file);
}
