import { nativeKernel } from './kernel';

export function registerIndexing(): void {
  nativeKernel('GatherV2', 'gather', (call) => {
    const batchAxes = call.attribute('batchDims');
    call
      .tensor('x')
      .tensor('indices')
      .number(call.axisAttribute('axis', call.input('x').shape));
    call.number(typeof batchAxes === 'number' ? batchAxes : 0);
  });
  nativeKernel('GatherNd', 'gatherPositions', (call) => call.tensor('params').tensor('indices'));
  nativeKernel('ScatterNd', 'scatterPositions', (call) =>
    call.tensor('indices').tensor('updates').integers(call.numbersAttribute('shape')),
  );
  nativeKernel('UnsortedSegmentSum', 'segmentSum', (call) =>
    call
      .tensor('x')
      .tensor('segmentIds')
      .number(call.input('segmentIds').shape.length)
      .numberNamed('numSegments'),
  );
  nativeKernel('OneHot', 'oneHot', (call) =>
    call
      .tensor('indices')
      .numberNamed('depth')
      .numberNamed('onValue')
      .numberNamed('offValue')
      .typeNamed('dtype'),
  );
  nativeKernel('Where', 'positions', (call) => call.tensor('condition'));
}
