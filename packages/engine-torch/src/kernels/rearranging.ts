import { backend_util, slice_util, util } from '@tensorflow/tfjs-core';
import { nativeKernel, nativeKernelOfMany, sharingKernel } from './kernel';

export function registerRearranging(): void {
  registerSharing();
  registerSlicing();
  nativeKernel('BroadcastTo', 'broadcast', (call) =>
    call.tensor('x').integers(call.numbersAttribute('shape')),
  );
  nativeKernel('Concat', 'concatenate', (call) => {
    const all = call.list();
    const [axis = 0] = util.parseAxisParam(call.numberAttribute('axis'), all[0]?.shape ?? []);
    // Nothing to concatenate from an empty tensor; libtorch would still want its other axes to fit.
    const parts = all.filter(({ shape }) => util.sizeFromShape(shape) > 0);
    call.tensors(parts.length > 0 ? parts : all).number(axis);
  });
  nativeKernel('Pack', 'stack', (call) => {
    call.tensors(call.list()).number(call.numberAttribute('axis'));
  });
  nativeKernelOfMany('Unpack', 'unstack', (call) => {
    call.tensor('value').number(call.axisAttribute('axis', call.input('value').shape));
  });
  nativeKernel('PadV2', 'pad', (call) => {
    const paddings = call.attribute('paddings');
    const amounts = Array.isArray(paddings) ? paddings.flat().map(Number) : [];
    call.tensor('x').integers(amounts).numberNamed('constantValue');
  });
  nativeKernel('Reverse', 'reverse', (call) => {
    call.tensor('x').integers(util.parseAxisParam(call.numbersAttribute('dims'), call.input('x').shape));
  });
  nativeKernel('Tile', 'tile', (call) => call.tensor('x').integers(call.numbersAttribute('reps')));
  nativeKernel('Transpose', 'transpose', (call) => call.tensor('x').integers(call.numbersAttribute('perm')));
}

/** Kernels that move nothing. */
function registerSharing(): void {
  sharingKernel('Identity', 'x', ({ shape }) => shape);
  sharingKernel('StopGradient', 'x', ({ shape }) => shape);
  sharingKernel('Reshape', 'x', (x, call) => {
    const size = util.sizeFromShape(x.shape);
    const shape = util.inferFromImplicitShape(call.numbersAttribute('shape'), size);
    util.assert(
      size === util.sizeFromShape(shape),
      () => `Reshape: expected a shape of ${size} numbers, got [${shape.join(', ')}].`,
    );
    return shape;
  });
  sharingKernel('ExpandDims', 'input', ({ shape }, call) => {
    const axis = call.numberAttribute('dim');
    return shape.toSpliced(axis < 0 ? shape.length + axis + 1 : axis, 0, 1);
  });
}

function registerSlicing(): void {
  nativeKernel('Slice', 'slice', (call) => {
    const x = call.input('x');
    const size = call.attribute('size') === undefined ? [] : call.numbersAttribute('size');
    const [begin = [], extents = []] = slice_util.parseSliceParams(x, call.numbersAttribute('begin'), size);
    slice_util.assertParamsValid(x, begin, extents);
    call.tensor('x').integers(begin).integers(extents);
  });
  nativeKernelOfMany('SplitV', 'split', (call) => {
    const x = call.input('x');
    const axis = call.axisAttribute('axis', x.shape);
    const given = call.numbersAttribute('numOrSizeSplits');
    const parts = Array.isArray(call.attribute('numOrSizeSplits')) ? given : (given[0] ?? 1);
    call
      .tensor('x')
      .number(axis)
      .integers(backend_util.prepareSplitSize(x, parts, axis));
  });
  nativeKernel('StridedSlice', 'stridedSlice', (call) => {
    const x = call.input('x');
    const masks = ['beginMask', 'endMask', 'ellipsisMask', 'newAxisMask', 'shrinkAxisMask'].map((name) =>
      call.numberAttribute(name),
    );
    const [beginMask = 0, endMask = 0, ellipsisMask = 0, newAxisMask = 0, shrinkAxisMask = 0] = masks;
    const [from, to, steps] = ['begin', 'end', 'strides'].map((name) => call.numbersAttribute(name));
    const info = slice_util.sliceInfo(
      ...[x.shape, from ?? [], to ?? [], steps ?? []],
      ...[beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask],
    );
    const extents = slice_util.computeOutShape(info.begin, info.end, info.strides);
    call.tensor('x').integers(info.begin).integers(info.strides).integers(extents).integers(info.finalShape);
  });
}
