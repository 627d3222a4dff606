import { counted } from '../text/counted';
import { sizeText } from './picture-sides';
import type { TokenMerging } from '../layers/token-merging';
import type { TowerConfig } from '../layers/tower';
import type { TextTowerConfig } from './text-tower-config';
import type { VisionTowerConfig } from './vision-tower-config';

export const towerText = ({ blocks, embedDim, heads, layerScale }: TowerConfig): string =>
  `${counted(blocks.length, 'layer')}, width ${embedDim}, ${counted(heads, 'head')}${layerScale === undefined ? '' : ', layer scale'}`;

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
    ...(registers === undefined ? [] : [counted(registers, 'register')]),
    ...(merging === undefined ? [] : [mergingText(merging)]),
    ...(attentionPool === undefined ? [] : ['attention pooling']),
  ].join(', ');

const mergingText = ({ perBlock, schedule, proportional }: TokenMerging): string =>
  `${counted(perBlock, 'token')} merged in ${schedule === undefined ? 'every block' : 'the middle block, more before, fewer behind'}${proportional === false ? ', each counted as one' : ''}`;

export const textsText = ({ context, vocabulary }: TextTowerConfig): string =>
  `texts of up to ${context} of ${vocabulary} tokens`;
