export {
  type Backend,
  type DemoData,
  type DemoModel,
  type DemoPreparation,
  type PackedFile,
  type TextReader,
  backends,
} from './demo-data';
export { demoPage } from './demo-page';
export { packedAs, piecesOf } from './pieces';
export { demoScripts, runtimeBinary } from './scripts';
