/** An entry of an archive that a test writes; fields that are not said are those of a plain file. */
export interface WrittenEntry {
  readonly name: string;
  readonly content?: Buffer;
  readonly type?: string;
  /** Stated size in bytes, where it is a lie. */
  readonly size?: number;
  readonly prefix?: string;
}

const BLOCK = 512;

const filled = (content: Buffer): Buffer =>
  Buffer.concat([content, Buffer.alloc((BLOCK - (content.byteLength % BLOCK)) % BLOCK)]);

/** A header as POSIX.1-1988 has it, with its checksum. */
function header({ name, content = Buffer.alloc(0), type = '0', size, prefix = '' }: WrittenEntry): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100);
  block.write('0000644\0', 100);
  block.write((size ?? content.byteLength).toString(8).padStart(11, '0'), 124);
  block.write('00000000000\0', 136);
  block.fill(' ', 148, 156);
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345, 155);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A tar archive, without its end if asked. */
export const tar = (entries: readonly WrittenEntry[], end = 2): Buffer =>
  Buffer.concat([
    ...entries.flatMap((entry) => [header(entry), filled(entry.content ?? Buffer.alloc(0))]),
    Buffer.alloc(end * BLOCK),
  ]);

/** A line of an extended header: its length counts itself. */
export function extendedLine(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.byteLength;
  while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
