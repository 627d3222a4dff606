import { huggingFaceBlip } from './hugging-face/blip';
import { huggingFaceClipText } from './hugging-face/clip-text';
import { huggingFaceDinov2 } from './hugging-face/dinov2';
import { huggingFaceDualEncoder } from './hugging-face/dual-encoder';
import { huggingFaceLxmert } from './hugging-face/lxmert';
import { huggingFaceSiglip } from './hugging-face/siglip-dual-encoder';
import { huggingFaceSiglipVision } from './hugging-face/siglip-vision';
import { huggingFaceVilt } from './hugging-face/vilt';
import { huggingFaceVisionTransformer } from './hugging-face/vision-transformer';
import type { Layout } from './layout';
import { openClipDualEncoder } from './open-clip/dual-encoder';
import { openClipSiglip } from './open-clip/siglip';
import { timmVisionTransformer } from './timm/vision-transformer';

/**
 * Every layout of a checkpoint that is read or written, one for each family and source. (Our own is that of the model
 * folder, for every family: its parameters by their paths.)
 */
export const layouts: readonly Layout[] = [
  huggingFaceVisionTransformer,
  huggingFaceSiglipVision,
  huggingFaceDinov2,
  timmVisionTransformer,
  huggingFaceDualEncoder,
  huggingFaceClipText,
  huggingFaceSiglip,
  huggingFaceBlip,
  huggingFaceVilt,
  huggingFaceLxmert,
  openClipDualEncoder,
  openClipSiglip,
];
