import { InferenceSession, Tensor, env } from 'onnxruntime-web/wasm';
import { offerRuntime } from './runtime';

offerRuntime('wasm', { InferenceSession, Tensor, env });
