import type { CompressionMethod } from '@winnow/core';
import { activeEnergy } from './active-energy';
import { blockInfluence } from './block-influence';
import { fisher } from './fisher';
import { flap } from './flap';
import { fpgm } from './fpgm';
import { gramSchmidt } from './gram-schmidt';
import { lamp } from './lamp';
import { maskFisher } from './mask-fisher';
import { obs } from './obs';
import { selfSupervised } from './self-supervised';
import { taylor } from './taylor';
import { variance } from './variance';
import { wandaUnit } from './wanda-unit';

/** All rankers: those that ask for labels, those that look at activations, those that read weights alone. */
export const oneShotMethods: readonly CompressionMethod[] = [
  taylor,
  fisher,
  maskFisher,
  wandaUnit,
  flap,
  activeEnergy,
  variance,
  obs,
  lamp,
  fpgm,
  gramSchmidt,
  selfSupervised,
  blockInfluence,
];
