import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import {
  type Lie,
  changed,
  behind,
  node,
  scalar,
  otherOperator,
  reordered,
  said,
  renamedNode,
  weakened,
  unhidden,
  withoutOutput,
  centred,
} from './lie-edits';

/** Lies about a segmenter with a mask decoder. */
export const segmenterLies: readonly (readonly [string, string, Lie])[] = [
  ['pixels are those of the nearest patch', 'outputs', said('Resize', 'mode', 'nearest')],
  [
    'corners of patches stand on corners of the picture',
    'outputs',
    said('Resize', 'coordinate_transformation_mode', 'align_corners'),
  ],
  [
    'grids are resized twice',
    'widths',
    behind(
      (before, after) => [node('Resize', [before, '', 'same'], after, [])],
      [
        create(TensorProtoSchema, {
          name: 'same',
          dims: [3n],
          dataType: 1,
          rawData: new Uint8Array(Float32Array.of(1, 1, 1).buffer),
        }),
      ],
    ),
  ],
  ['the resizing has another name', 'widths', renamedNode('pixels', 'patches')],
  ['the product of the masks has another name', 'widths', renamedNode('decoder.masks', 'decoder.fits')],
  ['what masks cost is hidden', 'counts', renamedNode('decoder.masks', 'masks')],
  [
    'tokens of two classes changed places',
    'weights',
    changed('decoder.tokens', (value, at) => (at < 32 ? -value : value)),
  ],
  ['masks are not normalised', 'weights', changed('decoder.maskNorm.weight', () => 1)],
  ['classes of pixels changed places', 'outputs', reordered('logits', 2, [1, 0, 2, 3, 4])],
  [
    'rows of pixels changed places',
    'outputs',
    reordered(
      'logits',
      1,
      Array.from({ length: 64 }, (_, at) => 63 - at),
    ),
  ],
  ['the mean of the batch is taken away', 'batch', centred('logits')],
  ['classes of real pictures changed places', 'agreement', reordered('logits', 2, [4, 0, 1, 2, 3])],
];

/** Lies about an MDETR that answers questions. */
export const mdetrLies: readonly (readonly [string, string, Lie])[] = [
  ['sides of boxes changed places', 'outputs', reordered('boxes', 2, [1, 0, 3, 2])],
  ['queries changed places', 'outputs', reordered('logits', 1, [2, 1, 0])],
  ['what was aligned is of another query', 'outputs', reordered('aligned', 1, [1, 2, 0])],
  ['padding is looked at', 'outputs', unhidden],
  [
    'all tokens are said to be read',
    'outputs',
    behind(
      (before, after) => [
        node('Add', [before, before], 'twice'),
        node('Min', ['twice', 'one'], 'few'),
        node('Sub', ['one', 'few'], after),
      ],
      [scalar('one', 1)],
      'read',
    ),
  ],
  ['pictures are hardly seen', 'outputs', weakened('pixel_values', 0.5)],
  ['an answer is not given', 'outputs', withoutOutput('answer1')],
  ['answers changed places', 'outputs', reordered('answer1', 1, [1, 0, 2, 3])],
  ['a query is another', 'weights', changed('fusion.queries', (value, at) => (at === 2 ? -value : value))],
  ['the head of boxes has another name', 'widths', renamedNode('head.box.first', 'head.box.zeroth')],
  [
    'scores of the fusion have another name',
    'widths',
    renamedNode('fusion.encoder.0.attention.scores', 'scores'),
  ],
  ['a product of the fusion is not counted', 'counts', renamedNode('fusion.decoder.1.cross.heard', 'heard')],
  ['boxes depend on the batch', 'batch', centred('boxes')],
  ['texts depend on the batch', 'batch', centred('words')],
];

/** Lies about the decoder of a BLIP that writes captions. */
export const decoderLies: readonly (readonly [string, string, Lie])[] = [
  ['words see those behind them', 'outputs', unhidden],
  ['places changed places', 'outputs', reordered('logits', 1, [1, 2, 3, 4, 5, 0])],
  ['pictures are hardly seen', 'outputs', weakened('image_states', 0.5)],
  ['a word is another', 'weights', changed('decoder.words', (value, at) => (at === 7 ? -value : value))],
  ['words are told by a product of another name', 'widths', renamedNode('decoder.head.bias', 'words')],
  [
    'what a cross-attention costs is hidden',
    'counts',
    renamedNode('decoder.blocks.1.cross.scores', 'scores'),
  ],
  ['texts depend on the batch', 'batch', centred('logits')],
  [
    'words about real pictures changed places',
    'agreement',
    reordered('logits', 2, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0]),
  ],
];

/** Lies about a ViT whose like tokens merge. */
export const mergingLies: readonly (readonly [string, string, Lie])[] = [
  ['those least alike are merged', 'outputs', otherOperator('Greater', 'Less')],
  ['they are merged into those least alike', 'outputs', otherOperator('ArgMax', 'ArgMin')],
  ['all tokens stay where they were', 'outputs', otherOperator('CumSum', 'Identity')],
  ['what merging costs is hidden', 'counts', renamedNode('blocks.0.merge.sums', 'sums')],
  ['the product that merges has another name', 'widths', renamedNode('blocks.1.merge.alike', 'alike')],
];
