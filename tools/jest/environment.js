import { TestEnvironment } from 'jest-environment-node';

/**
 * Jest gives each test file its own realm, so `instanceof Float32Array` is false for arrays made by Node itself
 * or by a native binding. Tensors are typed arrays: share the constructors.
 */
export default class SharedArraysEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    Object.assign(this.global, {
      ArrayBuffer,
      BigInt64Array,
      BigUint64Array,
      Float32Array,
      Float64Array,
      Int8Array,
      Int16Array,
      Int32Array,
      Uint8Array,
      Uint8ClampedArray,
      Uint16Array,
      Uint32Array,
    });
  }
}
