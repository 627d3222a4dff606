import {
  type Lie,
  behind,
  centred,
  graphOf,
  metadata,
  node,
  nodeWhere,
  otherOperator,
  renamedNode,
  reordered,
  scalar,
  tensorNamed,
  weakened,
  withoutOutput,
} from './lie-edits';

type Lies = readonly (readonly [says: string, part: string, lie: Lie])[];

/** Raw bytes of a tensor, changed. */
const bytesChanged =
  (name: string, change: (bytes: Uint8Array) => void): Lie =>
  (model) => {
    const tensor = tensorNamed(model, name);
    const bytes = Uint8Array.from(tensor.rawData);
    change(bytes);
    tensor.rawData = bytes;
  };

/** The numbers that say where shared columns go, in another order. */
const columnsReordered: Lie = (model) => {
  const concat = nodeWhere(
    model,
    ({ opType, input }) => opType === 'Concat' && input.includes('blocks.1.attention.query.weight'),
  );
  const [joined = ''] = concat.output;
  const [, places = ''] = nodeWhere(
    model,
    ({ opType, input }) => opType === 'Gather' && input[0] === joined,
  ).input;
  bytesChanged(places, (bytes) => {
    const numbers = new Int32Array(bytes.buffer);
    numbers.reverse();
  })(model);
};

/** Every constant whose name ends so, multiplied. */
const allMultiplied =
  (end: RegExp, factor: number): Lie =>
  (model) => {
    for (const { name } of graphOf(model).initializer)
      if (end.test(name))
        bytesChanged(name, (bytes) => {
          const numbers = new Float32Array(bytes.buffer);
          numbers.forEach((value, at) => (numbers[at] = value * factor));
        })(model);
  };

/** Lies about a ViT in int8 whose columns are shared. */
export const sharedLies: Lies = [
  [
    'a shared column has another number',
    'weights',
    bytesChanged('blocks.0.attention.query.weight', (bytes) => (bytes[3] = (bytes[3] ?? 0) ^ 5)),
  ],
  ['shared columns stand in other places', 'outputs', columnsReordered],
  ['matrices have other scales', 'outputs', allMultiplied(/^constant\.(?:.*\.weight|Gather.*)\.scale$/, 1.5)],
  ['inputs have other scales', 'outputs', allMultiplied(/^constant\.LayerNormalization.*\.scale$/, 0.3)],
  [
    'inputs have another zero',
    'outputs',
    (model) => {
      for (const { name } of graphOf(model).initializer)
        if (/^constant\.LayerNormalization.*\.zero$/.test(name))
          bytesChanged(name, (bytes) => (bytes[0] = (bytes[0] ?? 0) ^ 127))(model);
    },
  ],
  [
    'far more is made up for than rounding takes',
    'outputs',
    (model) => {
      for (const { name } of graphOf(model).initializer)
        if (name.endsWith('.lost'))
          bytesChanged(name, (bytes) => new Int32Array(bytes.buffer).fill(9000, 0, 2))(model);
    },
  ],
];

/** Lies about the tower of a CLIP that sees pictures. */
export const visionTowerLies: Lies = [
  [
    'embeddings have another length',
    'outputs',
    behind(
      (before, after) => [node('Mul', [before, 'constant more'], after)],
      [scalar('constant more', 2)],
      'image_embeds',
    ),
  ],
  [
    'logits have another scale',
    'labels',
    metadata('winnow.logits', (text) => text.replace(/"scale":[^,}]+/, '"scale":1')),
  ],
  ['embeddings depend on the batch', 'batch', centred('image_embeds')],
  [
    'real pictures fit the texts that they fitted least',
    'agreement',
    behind((before, after) => [node('Neg', [before], after)], [], 'image_embeds'),
  ],
];

/** Lies about a UNITER for pre-training. */
export const hiddenLies: Lies = [
  ['regions that are hidden are seen', 'outputs', weakened('visual_hidden', 0)],
  ['features that are found again are not given', 'outputs', withoutOutput('regions')],
  ['words changed places', 'outputs', reordered('words', 2, [1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10])],
  ['classes of regions changed places', 'outputs', reordered('classes', 2, [1, 0, 2, 3])],
  ['words are told by a product of another name', 'widths', renamedNode('hidden.bias', 'guessed')],
  ['the non-linearity of the heads is gone', 'outputs', otherOperator('Erf', 'Identity')],
];
