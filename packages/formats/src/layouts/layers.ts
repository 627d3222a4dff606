import type { Checkpoint } from '../checkpoint/checkpoint';
import { FormatError } from '../file/format-error';

/** A layer has 12 or more: two norms, attention and feed-forward network, with weights and biases. */
const FEWEST_TENSORS = 6;

/**
 * Counts the layers whose tensors a checkpoint holds, so that nothing is built for layers that a file only speaks of.
 * @param prefix Stands before the number of a layer.
 * @throws {FormatError} when one is missing among them, or they have far fewer tensors than layers have.
 */
export function layersIn({ file, tensors }: Pick<Checkpoint, 'file' | 'tensors'>, prefix: string): number {
  const numbers = new Set<number>();
  let count = 0;
  for (const name of tensors.keys()) {
    const number = name.startsWith(prefix)
      ? /^(0|[1-9]\d*)\./.exec(name.slice(prefix.length))?.[1]
      : undefined;
    if (number === undefined) continue;
    numbers.add(Number(number));
    count += 1;
  }
  let layers = 0;
  while (numbers.has(layers)) layers += 1;
  if (layers < numbers.size) {
    const next = [...numbers].reduce(
      (least, number) => (number > layers && number < least ? number : least),
      Infinity,
    );
    throw new FormatError(`${file}: expected a layer ${prefix}${layers} before ${prefix}${next}, got none`);
  }
  if (count < FEWEST_TENSORS * layers) {
    throw new FormatError(
      `${file}: expected the tensors of ${layers} layers (${prefix}…), ${FEWEST_TENSORS} or more each, got ${count} in all`,
    );
  }
  return layers;
}

/**
 * Checks that a configuration speaks of the layers that there are.
 * @param source Names the configuration and the field.
 * @throws {FormatError} when it does not.
 */
export function checkLayers(
  checkpoint: Pick<Checkpoint, 'file' | 'tensors'>,
  { prefix, stated, source }: { readonly prefix: string; readonly stated: number; readonly source: string },
): void {
  const layers = layersIn(checkpoint, prefix);
  if (layers === stated) return;
  throw new FormatError(
    `${checkpoint.file}: expected the tensors of ${stated} layers (${prefix}…), as ${source} says, got those of ${layers}`,
  );
}
