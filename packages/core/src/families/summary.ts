import type { TowerConfig } from '../layers/tower';
import type { TextTowerConfig } from './text-tower-config';
import type { VisionTowerConfig } from './vision-tower-config';

export const towerText = ({ blocks, embedDim, heads }: TowerConfig): string =>
  `${blocks.length} layers, width ${embedDim}, ${heads} heads`;

export const pictureText = ({ imageSize, patchSize }: VisionTowerConfig): string =>
  `pictures of ${imageSize} px in patches of ${patchSize} px`;

export const textsText = ({ context, vocabulary }: TextTowerConfig): string =>
  `texts of up to ${context} of ${vocabulary} tokens`;
