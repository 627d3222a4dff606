import { sizeText } from './picture-sides';
import type { TokenMerging } from '../layers/token-merging';
import type { TowerConfig } from '../layers/tower';
import type { TextTowerConfig } from './text-tower-config';
import type { VisionTowerConfig } from './vision-tower-config';

export const towerText = ({ blocks, embedDim, heads, layerScale }: TowerConfig): string =>
  `${blocks.length} layers, width ${embedDim}, ${heads} heads${layerScale === undefined ? '' : ', layer scale'}`;

export const pictureText = ({
  imageSize,
  patchSize,
  classToken,
  registers,
  merging,
  attentionPool,
}: VisionTowerConfig): string =>
  [
    `pictures of ${sizeText(imageSize)} px in patches of ${patchSize} px`,
    ...(classToken === false ? ['no class token'] : []),
    ...(registers === undefined ? [] : [`${registers} registers`]),
    ...(merging === undefined ? [] : [mergingText(merging)]),
    ...(attentionPool === undefined ? [] : ['attention pooling']),
  ].join(', ');

const mergingText = ({ perBlock, schedule, proportional }: TokenMerging): string =>
  `${perBlock} tokens merged in ${schedule === undefined ? 'every block' : 'the middle block, more before, fewer behind'}${proportional === false ? ', each counted as one' : ''}`;

export const textsText = ({ context, vocabulary }: TextTowerConfig): string =>
  `texts of up to ${context} of ${vocabulary} tokens`;
