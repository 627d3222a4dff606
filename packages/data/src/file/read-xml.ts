import { SaxesParser } from 'saxes';
import { DataError } from '../failure/data-error';
import { readText } from './read-text';

interface Open {
  readonly name: string;
  text: string;
  readonly inside: Map<string, unknown[]>;
}

/** Annotations are no deeper; others could fill the memory with little text. */
const DEEPEST = 16;

/**
 * Reads an XML file, whose root has a name, to plain records: an element is its text, or lists of the elements in it by their names.
 * Attributes, comments and documents of other types are not looked at, and
 * entities of its own are an error.
 * @throws {DataError} when the file cannot be read, or is no XML of this kind.
 */
export async function readXml(path: string, root: string): Promise<unknown> {
  const text = await readText(path, 'XML');
  try {
    return contentOf(text, root);
  } catch (cause) {
    throw new DataError(
      {
        expected: `XML with <${root}> in ${path}`,
        found: `${text === '' ? 'an empty file' : 'something else'} (${cause instanceof Error ? cause.message : String(cause)})`,
        advice: 'Mend the file, or fetch it anew.',
      },
      { cause },
    );
  }
}

function contentOf(text: string, root: string): unknown {
  const parser = new SaxesParser({ position: true });
  const open: Open[] = [];
  let whole: unknown;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name }) => {
    if (open.length === 0 && name !== root) throw new RangeError(`the root is <${name}>`);
    if (open.length === DEEPEST) throw new RangeError(`elements lie deeper than ${DEEPEST}`);
    open.push({ name, text: '', inside: new Map() });
  });
  parser.on('text', (more) => {
    const last = open.at(-1);
    if (last !== undefined) last.text += more;
  });
  parser.on('closetag', () => {
    const closed = open.pop();
    if (closed === undefined) return;
    const content = closed.inside.size === 0 ? closed.text.trim() : Object.fromEntries(closed.inside);
    const around = open.at(-1);
    if (around === undefined) whole = content;
    else {
      const alike = around.inside.get(closed.name);
      if (alike === undefined) around.inside.set(closed.name, [content]);
      else alike.push(content);
    }
  });
  parser.write(text).close();
  if (whole === undefined) throw new RangeError('there is no element');
  return whole;
}
