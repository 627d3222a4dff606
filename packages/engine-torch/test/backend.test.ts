import * as tf from '@tensorflow/tfjs-core';
import { describeOnTorch, onCpu, random, torchBackend } from './torch';

const MEGABYTE = 2 ** 20;

/** The process's memory without the heap of JavaScript, which grows and shrinks as it likes. */
function outsideOfJavaScript(): number {
  const { rss, heapTotal } = process.memoryUsage();
  return rss - heapTotal;
}

describeOnTorch('the torch backend', () => {
  it.each([
    ['float32', [1.5, -2, 0]],
    ['int32', [7, -3, 0]],
    ['bool', [1, 0, 1]],
  ] as const)('gives back what it was given as %s', async (dtype, values) => {
    const tensor = tf.tensor1d([...values], dtype);
    expect([...(await tensor.data())]).toEqual([...values]);
    expect([...tensor.dataSync()]).toEqual([...values]);
    tensor.dispose();
  });

  it('takes tensors of no numbers and of no axes', () => {
    expect([...tf.zeros([0, 3]).dataSync()]).toEqual([]);
    expect([...tf.sum(tf.zeros([0, 3]), 0).dataSync()]).toEqual([0, 0, 0]);
    expect(tf.scalar(3).dataSync()[0]).toBe(3);
  });

  it('is not changed by what becomes of an uploaded array', () => {
    const values = new Float32Array([1, 2]);
    const tensor = tf.tensor1d(values);
    values[0] = 9;
    expect([...tensor.dataSync()]).toEqual([1, 2]);
  });

  it('takes over tensors of another backend and gives its own away', () => {
    tf.setBackend('cpu');
    const theirs = tf.tensor1d([1, 2, 3]);
    tf.setBackend('torch');
    const sum = tf.add(theirs, 1);
    expect([...sum.dataSync()]).toEqual([2, 3, 4]);
    tf.setBackend('cpu');
    const back = tf.add(sum, theirs);
    expect([...back.dataSync()]).toEqual([3, 5, 7]);
    tf.setBackend('torch');
    expect([...tf.mul(tf.reshape(sum, [3, 1]), 2).dataSync()]).toEqual([4, 6, 8]);
    tf.dispose([theirs, sum, back]);
  });

  it('names the kernel, its inputs and the reason when one fails', () => {
    const [a, b] = [random([2, 3]), random([4, 3])];
    expect(() => tf.engine().runKernel('Add', { a, b })).toThrow(
      /^Add of a float32 \[2, 3\], b float32 \[4, 3\] failed on torch: The size of tensor a \(2\)/,
    );
    expect(() => tf.tensor1d(['a'])).toThrow('expected float32, int32 or bool, got string');
  });

  onCpu('refuses a position that is not there', () => {
    expect(() => tf.gather(random([2, 3]), tf.tensor1d([2], 'int32'))).toThrow(/index out of range/);
  });

  it('names a kernel that it does not have', () => {
    expect(() => tf.image.resizeBilinear(tf.zeros<tf.Rank.R3>([2, 2, 1]), [4, 4])).toThrow(
      /'ResizeBilinear'.*backend 'torch'/,
    );
  });

  it('shares the numbers of reshaped and cloned tensors until the last one goes', () => {
    const start = torchBackend().nativeMemory();
    const x = random([100, 10]);
    const views = [tf.reshape(x, [1000]), tf.clone(x), tf.expandDims(x)];
    expect(torchBackend().nativeMemory()).toEqual({ tensors: start.tensors + 1, bytes: start.bytes + 4000 });
    x.dispose();
    expect(views[0]?.dataSync()[7]).toBeCloseTo(random([8]).dataSync()[7] ?? 0);
    tf.dispose(views);
    expect(torchBackend().nativeMemory().bytes).toBeLessThanOrEqual(start.bytes + 32);
  });

  it('keeps no large tensor alive for a small part of it', () => {
    const start = torchBackend().nativeMemory();
    const part = tf.tidy(() => tf.slice(random([1000, 10]), [5, 0], [1, 10]));
    expect(torchBackend().nativeMemory().bytes - start.bytes).toBe(40);
    part.dispose();
  });

  it('leaks nothing over 10,000 training steps, and tf.memory() says what is held', () => {
    // Test files that run in one process share the addon: what others hold is left out.
    const held = () => ({ native: torchBackend().nativeMemory(), tfjs: tf.memory() });
    const start = held();
    const weight = tf.variable(random([8, 8]));
    const step = () => {
      const { value, grads } = tf.variableGrads(() => {
        const [hidden] = tf.engine().runKernel<tf.Tensor[]>('WinnowGelu', { x: random([4, 8], 2) });
        if (hidden === undefined) throw new Error('expected a result');
        return tf.mean(tf.square(tf.sub(tf.softmax(tf.matMul(hidden, weight)), 0.5)));
      });
      for (const gradient of Object.values(grads)) {
        const next = tf.tidy(() => tf.sub(weight, tf.mul(gradient, 0.1)));
        weight.assign(next);
        next.dispose();
        gradient.dispose();
      }
      value.dispose();
    };
    for (let count = 0; count < 1000; count++) step();
    const before = { ...held(), resident: outsideOfJavaScript() };
    for (let count = 0; count < 10_000; count++) step();
    expect(held()).toEqual({ native: before.native, tfjs: before.tfjs });
    const { native, tfjs } = before;
    expect(native.tensors - start.native.tensors).toBe(tfjs.numDataBuffers - start.tfjs.numDataBuffers);
    expect(native.bytes - start.native.bytes).toBe(tfjs.numBytes - start.tfjs.numBytes);
    // A hundred bytes lost by each operation would make more than this.
    expect(outsideOfJavaScript() - before.resident).toBeLessThan(32 * MEGABYTE);
    weight.dispose();
  });
});
