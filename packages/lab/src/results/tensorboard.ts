import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson, readBytesIfThere, textOf, writeAtomically } from '@winnow/formats';
import protobuf from 'protobufjs/minimal.js';
import { z } from 'zod';
import type { Metric } from '../run-folder/metrics';
import { crc32c } from './crc32c';
import { nextEventFile } from './event-name';

/** A number at a step, under a name. */
export interface Scalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** Numbers that are none stand as text in a file; in files of version 0.1 as null. */
const measured = z.union([
  z.number(),
  z.nan(),
  z.literal([Infinity, -Infinity]),
  z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number),
  z.null().transform(() => Number.NaN),
]);
const line = z.looseObject({
  phase: z.string(),
  step: z.int(),
  loss: measured.optional(),
  imagesPerSecond: measured.optional(),
  learningRate: measured.optional(),
  scores: z.record(z.string(), measured).optional(),
});

/** Longer texts do not fit into a string. */
const MOST_BYTES = 2 ** 29 - 2 ** 20;
const NEWLINE = 0x0a;

/**
 * Reads what a run measured as it went: loss, throughput and scores of every phase. A last line without its end was cut
 * by a crash and is left out.
 * @throws {FormatError} naming the file and the line that is not one of these.
 */
export async function scalarsOf(runFolder: string): Promise<Scalar[]> {
  const file = join(runFolder, 'metrics.jsonl');
  const bytes = await readBytesIfThere(file, { mostBytes: MOST_BYTES });
  if (bytes === undefined) return [];
  return scalarsInText(file, bytes);
}

/** The same of what is in such a file. */
export function scalarsInText(file: string, bytes: Uint8Array): Scalar[] {
  const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
  return textOf(file, whole)
    .split('\n')
    .flatMap((text, place): Scalar[] => {
      if (text === '') return [];
      const source = `${file}, line ${place + 1}`;
      return scalarsOfLine(parseJson(source, new TextEncoder().encode(text), line, 'a measurement of a run'));
    });
}

/** The scalars of one measurement. */
export const scalarsIn = (metric: Metric): Scalar[] => scalarsOfLine(line.parse(metric));

function scalarsOfLine({
  phase,
  step,
  loss,
  imagesPerSecond,
  learningRate,
  scores = {},
}: z.output<typeof line>): Scalar[] {
  // Scores are of pictures that are not trained on, and have a loss of their own.
  const scored = Object.entries(scores).map(([name, value]) => [`scores/${name}`, value] as const);
  return [...Object.entries({ loss, imagesPerSecond, learningRate }), ...scored].flatMap(([name, value]) =>
    value === undefined ? [] : [{ tag: `${phase}/${name}`, step, value }],
  );
}

/**
 * Writes what a run measured as a TensorBoard event file: `tensorboard --logdir` shows all runs below a folder.
 * @param logFolder The run's own; what is there already is replaced.
 */
export async function writeEvents(runFolder: string, logFolder: string): Promise<void> {
  const scalars = await scalarsOf(runFolder);
  if (scalars.length === 0) return;
  const { mtimeMs } = await stat(join(runFolder, 'metrics.jsonl'));
  await mkdir(logFolder, { recursive: true });
  const file = nextEventFile(logFolder, REPORTED);
  const earlier = (await readdir(logFolder)).filter((name) => name.endsWith(REPORTED) || name === FIRST_NAME);
  await writeAtomically(file, eventFile(scalars, mtimeMs / 1000));
  for (const name of earlier) await rm(join(logFolder, name));
}

/** Ends the names of files that were written when all was measured, beside those that grew with a run. */
const REPORTED = '-report';
/** Their name in version 0.1. */
const FIRST_NAME = 'events.out.tfevents.winnow';

/**
 * An event file: TFRecords of `tensorflow.Event`. It begins a session at step 0, by which TensorBoard forgets what earlier files
 * of the folder say of these steps.
 */
export const eventFile = (scalars: readonly Scalar[], wallSeconds: number): Uint8Array =>
  Buffer.concat([
    ...[versionEvent(wallSeconds), startEvent(wallSeconds)].map(record),
    scalarEvents(scalars, wallSeconds),
  ]);

/** Events that may stand at the end of a file. */
export const scalarEvents = (scalars: readonly Scalar[], wallSeconds: number): Uint8Array =>
  Buffer.concat(scalars.map((scalar) => record(scalarEvent(scalar, wallSeconds))));

/** Kinds of fields on the wire (protobuf encoding): a varint, eight bytes, bytes with their length, four bytes. */
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;
const key = (field: number, kind: number): number => (field << 3) | kind;

/** `Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }` */
const event = (wallSeconds: number) => protobuf.Writer.create().uint32(key(1, FIXED64)).double(wallSeconds);

const versionEvent = (wallSeconds: number): Uint8Array =>
  event(wallSeconds).uint32(key(3, DELIMITED)).string('brain.Event:2').finish();

/** `SessionLog { SessionStatus status = 1; }`, of which START is 1. */
const startEvent = (wallSeconds: number): Uint8Array =>
  event(wallSeconds)
    .uint32(key(2, VARINT))
    .int64(0)
    .uint32(key(7, DELIMITED))
    .fork()
    .uint32(key(1, VARINT))
    .int32(1)
    .ldelim()
    .finish();

/** `Summary { repeated Value value = 1; }`, `Value { string tag = 1; float simple_value = 2; }` */
function scalarEvent({ tag, step, value }: Scalar, wallSeconds: number): Uint8Array {
  return event(wallSeconds)
    .uint32(key(2, VARINT))
    .int64(step)
    .uint32(key(5, DELIMITED))
    .fork()
    .uint32(key(1, DELIMITED))
    .fork()
    .uint32(key(1, DELIMITED))
    .string(tag)
    .uint32(key(2, FIXED32))
    .float(value)
    .ldelim()
    .ldelim()
    .finish();
}

const MASK_DELTA = 0xa282ead8;

/** Length, its checksum, the data, their checksum. */
function record(data: Uint8Array): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(data.length), 0);
  head.writeUInt32LE(maskedChecksum(head.subarray(0, 8)), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(maskedChecksum(data), 0);
  return Buffer.concat([head, data, tail]);
}

function maskedChecksum(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
