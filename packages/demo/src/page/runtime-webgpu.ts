import { InferenceSession, Tensor, env } from 'onnxruntime-web/webgpu';
import { offerRuntime } from './runtime';

offerRuntime('webgpu', { InferenceSession, Tensor, env });
