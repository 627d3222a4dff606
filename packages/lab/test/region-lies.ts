import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import {
  type Lie,
  behind,
  centred,
  changed,
  choosable,
  emptied,
  graphOf,
  inputReordered,
  named,
  node,
  nodeWhere,
  operator,
  renamedNode,
  reordered,
  tensorNamed,
  unhidden,
  weakened,
  withoutOutput,
} from './lie-edits';

type Lies = readonly (readonly [says: string, part: string, lie: Lie])[];

/** Lies about an LXMERT, whose cross-attentions run in both directions. */
export const lxmertLies: Lies = [
  ['places for regions that are not there are looked at', 'outputs', unhidden],
  ['nothing says where regions are', 'outputs', weakened('visual_pos', 0)],
  ['states of regions changed places', 'outputs', reordered('regions', 1, [1, 2, 0])],
  ['states of regions are not given', 'outputs', withoutOutput('regions')],
  [
    'a cross-attention has another number',
    'weights',
    changed('cross.blocks.1.cross.value.weight', (value, at) => (at === 2 ? -value : value)),
  ],
  [
    'one direction has the name of a third',
    'widths',
    renamedNode('cross.blocks.0.cross.query@1', 'cross.blocks.0.cross.query@2'),
  ],
  [
    'scores of one direction have another name',
    'widths',
    renamedNode('cross.blocks.1.cross.scores@1', 'scores'),
  ],
  ['one direction is not counted', 'counts', renamedNode('cross.blocks.0.cross.heard@1', 'heard')],
  ['regions depend on the batch', 'batch', centred('regions')],
  ['answers to real questions changed places', 'agreement', reordered('logits', 1, [1, 2, 3, 4, 0])],
];

/** The second picture is told to be the first: its row of modalities is that one's. */
const firstModality: Lie = (model) => {
  const [, first, second] = graphOf(model).node.filter(
    ({ opType, input }) => opType === 'Slice' && input[0] === 'modalities',
  );
  if (first === undefined || second === undefined) throw new Error('expected a row for each picture');
  second.input = first.input;
};

/** Lies about a ViLT that judges statements over two pictures. */
export const statementLies: Lies = [
  ['both pictures changed places', 'outputs', inputReordered('pixel_values', 1, [1, 0])],
  ['the first picture is seen twice', 'outputs', inputReordered('pixel_values', 1, [0, 0])],
  ['both pictures are told to be the first', 'outputs', firstModality],
  [
    'the second passage has another name',
    'widths',
    renamedNode('vision.blocks.0.ffn.expand@1', 'vision.blocks.0.ffn.expand@2'),
  ],
  ['the second picture is not counted', 'counts', renamedNode('pooler@1', 'second')],
  ['statements depend on the batch', 'batch', centred('logits')],
  ['true and false of real statements changed places', 'agreement', reordered('logits', 1, [1, 0])],
];

/** Lies about a UNITER or an LXMERT that picks one of so many regions. */
export const expressionLies = (count: number): Lies => {
  const next = Array.from({ length: count }, (_, place) => (place + 1) % count);
  return [
    ['regions that are not there may be picked', 'outputs', choosable],
    // Beside logits of padding it would be nothing.
    ['all scores are a tenth higher', 'outputs', changed('head.last.bias', (value) => value + 0.1)],
    ['logits of regions changed places', 'outputs', reordered('logits', 1, next)],
    ['what is picked depends on the batch', 'batch', centred('logits')],
    ['regions of real expressions changed places', 'agreement', reordered('logits', 1, next)],
  ];
};

/** Lies about regions of two pictures, whoever judges the statement. */
const pairLies: Lies = [
  ['regions of both pictures changed places', 'outputs', inputReordered('visual_feats', 1, [1, 0])],
  ['regions of the first picture count for both', 'outputs', inputReordered('visual_mask', 1, [0, 0])],
  ['true and false of real statements changed places', 'agreement', reordered('logits', 1, [1, 0])],
];

/** The text about the first picture looks at itself. */
const selfish: Lie = (model) => {
  const [asking] = nodeWhere(model, named('paired.left.query')).input;
  for (const part of ['key', 'value']) nodeWhere(model, named(`paired.left.${part}`)).input[0] = asking ?? '';
};

export const uniterPairLies: Lies = [
  ...pairLies,
  ['one side looks at itself', 'outputs', selfish],
  ['padding has a weight', 'outputs', choosable],
  ['scores of one side have another name', 'widths', renamedNode('paired.left.scores', 'scores')],
  ['the second picture is not counted', 'counts', renamedNode('trunk.blocks.0.ffn.expand@1', 'second')],
];

export const lxmertPairLies: Lies = [
  ...pairLies,
  ['states of both pictures changed places', 'outputs', reordered('regions', 1, [1, 0])],
  ['the second picture is not counted', 'counts', renamedNode('vision.blocks.0.ffn.expand@1', 'second')],
];

/** Convolutions see their neighbours in reverse. */
const mirrored: Lie = (model) => {
  const gather = graphOf(model).node.find(
    ({ opType, input }) =>
      opType === 'Gather' &&
      graphOf(model).initializer.some(({ name, dims }) => name === input[1] && dims[0] === 36n),
  );
  const tensor = tensorNamed(model, gather?.input[1] ?? '');
  tensor.rawData = new Uint8Array(new Int32Array(Uint8Array.from(tensor.rawData).buffer).reverse().buffer);
};

/** Boxes are a tenth smaller than told. */
const smaller = behind(
  (before, after) => [node('Mul', [before, 'constant sides'], after)],
  [
    create(TensorProtoSchema, {
      name: 'constant sides',
      dims: [4n],
      dataType: 1,
      rawData: new Uint8Array(Float32Array.of(1, 1, 0.9, 0.9).buffer),
    }),
  ],
  'boxes',
);

/** Lies about a GLIP of one grid with deep fusion, whose towers share columns. */
export const glipLies: Lies = [
  ['sides of boxes changed places', 'outputs', reordered('boxes', 2, [1, 0, 3, 2])],
  ['boxes are a tenth smaller', 'outputs', smaller],
  ['regions changed places', 'outputs', reordered('logits', 1, [1, 0, 3, 2])],
  ['centerness is that of another region', 'outputs', reordered('centerness', 1, [1, 2, 3, 0])],
  ['padding is looked at', 'outputs', unhidden],
  ['neighbours changed places', 'outputs', mirrored],
  [
    'columns that both towers have are other ones',
    'weights',
    changed('text.blocks.0.attention.query.weight', (value, at) => (at === 1 ? -value : value)),
  ],
  [
    'groups of channels are not normed',
    'widths',
    emptied((own) => operator('LayerNormalization')(own) && own.input[1]?.startsWith('constant') === true),
  ],
  [
    'what words hear of regions has another name',
    'widths',
    renamedNode('rounds.0.fusion.attention.heard@1', 'rounds.0.fusion.attention.heard@2'),
  ],
  ['what it costs to compare regions with words is hidden', 'counts', renamedNode('head.alignment', 'fits')],
  ['boxes depend on the batch', 'batch', centred('boxes')],
  ['words of real pictures changed places', 'agreement', reordered('logits', 2, [1, 2, 3, 4, 5, 6, 0])],
];
