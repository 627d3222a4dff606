import { type Tensor, add, memory, scalar, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import {
  alignTrees,
  cloneTree,
  disposeTree,
  downloadTree,
  entriesOf,
  leavesOf,
  mapTree,
  tidyTree,
  uploadEach,
  uploadTree,
  withLeaves,
  zipTrees,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

describeOnEveryEngine('trees of tensors', () => {
  const tree = (): { blocks: { weight: Tensor }[]; bias: Tensor } => ({
    blocks: [{ weight: tensor2d([1, 2], [1, 2]) }, { weight: scalar(3) }],
    bias: tensor1d([4]),
  });
  const valuesOf = (leaves: readonly Tensor[]) => leaves.map((leaf) => [...leaf.dataSync()]);

  it('are walked in order, with paths', () => {
    expect(entriesOf(tree()).map(([path, leaf]) => [path, leaf.shape])).toEqual([
      ['blocks.0.weight', [1, 2]],
      ['blocks.1.weight', []],
      ['bias', [1]],
    ]);
    expect(entriesOf(scalar(1)).map(([path]) => path)).toEqual(['']);
    expect(leavesOf({})).toEqual([]);
  });

  it('keep their records when mapped, zipped and filled', () => {
    const doubled = mapTree(tree(), (leaf) => add(leaf, leaf));
    expect(Array.isArray(doubled.blocks)).toBe(true);
    expect(valuesOf(leavesOf(doubled))).toEqual([[2, 4], [6], [8]]);
    const sums = zipTrees([tree(), doubled], ([a, b], path) => (path === 'bias' ? a : add(a, b)));
    expect(valuesOf(leavesOf(sums))).toEqual([[3, 6], [9], [4]]);
    const refilled = withLeaves(tree(), leavesOf(doubled));
    expect(leavesOf(refilled)).toEqual(leavesOf(doubled));
    const paths = alignTrees(tree(), doubled).map(({ path, leaves }) => [path, leaves.length]);
    expect(paths).toEqual([
      ['blocks.0.weight', 2],
      ['blocks.1.weight', 2],
      ['bias', 2],
    ]);
  });

  it('refuse to be filled with another number of leaves, or zipped with another record', () => {
    expect(() => withLeaves(tree(), [scalar(1)])).toThrow(/expected 3 leaves, got 1/);
    expect(() => zipTrees([tree(), { bias: scalar(1) }], ([a]) => a)).toThrow(/nothing at blocks.0.weight/);
  });

  it('go to the host and back', async () => {
    const original = { a: tensor2d([1, 2, 3, 4], [2, 2]), b: tensor1d([5, 6], 'int32') };
    const host = await downloadTree(original, 'model/');
    expect([...host.keys()]).toEqual(['model/a', 'model/b']);
    expect(host.get('model/b')).toEqual({ dtype: 'int32', shape: [2], values: Int32Array.of(5, 6) });
    const others = new Map([...host, ...(await downloadTree(scalar(1), 'optimizer/'))]);
    const back = uploadTree(original, others, 'model/');
    expect(back.b.dtype).toBe('int32');
    expect(valuesOf(leavesOf(back))).toEqual(valuesOf(leavesOf(original)));
    await expect(downloadTree(tensor1d([true], 'bool'))).rejects.toThrow(
      /expected float32 or int32, got bool/,
    );
  });

  it('name all that does not fit when they are filled from the host', async () => {
    const host = await downloadTree({ a: tensor1d([1, 2]), c: scalar(1) });
    expect(() => uploadTree({ a: tensor1d([1]), b: scalar(1) }, host)).toThrow(
      /a: expected \[1\], got \[2\]\n {2}missing b \[\]\n {2}extra c \[\]/,
    );
  });

  it('own what they clone, and survive a tidy whole', () => {
    const before = memory().numTensors;
    const original = tree();
    const copy = cloneTree(original);
    disposeTree(original);
    expect(valuesOf(leavesOf(copy))).toEqual([[1, 2], [3], [4]]);
    const made = tidyTree(() => {
      add(copy.bias, 1);
      return { moved: mapTree(copy, (leaf) => add(leaf, 1)), note: 'kept' };
    });
    expect(valuesOf(leavesOf(made.moved))).toEqual([[2, 3], [4], [5]]);
    disposeTree(copy);
    disposeTree(made.moved);
    expect(memory().numTensors).toBe(before);
  });

  it('are uploaded one by one as they come, and not at all when one does not come', async () => {
    const before = memory().numTensors;
    const host = [...(await downloadTree(tree()))];
    const left = memory().numTensors;
    const held: number[] = [];
    async function* coming(fault?: Error) {
      for (const entry of host) {
        held.push(memory().numTensors - left);
        yield entry;
      }
      if (fault !== undefined) throw fault;
    }
    const uploaded = await uploadEach(coming());
    expect(held).toEqual([0, 1, 2]);
    const filled = uploadTree(tree(), uploaded);
    expect(leavesOf(filled)).toEqual([...uploaded.values()]);
    expect([...(await downloadTree(filled))]).toEqual(host);
    await expect(uploadEach(coming(new Error('cut off')))).rejects.toThrow('cut off');
    expect(memory().numTensors - before).toBe(3 * host.length);
  });
});
