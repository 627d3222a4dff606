import type { Control } from '@winnow/comparison';
import type { CompressionMethod } from '@winnow/core';
import { lotteryTicketMethods } from '@winnow/lottery-ticket';
import { oneShotMethods } from '@winnow/one-shot';
import { shareAndPruneMethods } from '@winnow/share-and-prune';
import { upopMethods } from '@winnow/upop';
import { answersKind } from './workload/answers';
import { captionsKind } from './workload/captions';
import { classificationKind } from './workload/classification';
import { detectionKind } from './workload/detection';
import { entailmentKind } from './workload/entailment';
import { groundingKind } from './workload/grounding';
import { matchingKind } from './workload/matching';
import { preTrainingKind } from './workload/pre-training';
import { questionsKind } from './workload/questions';
import { retrievalKind } from './workload/retrieval';
import { segmentationKind } from './workload/segmentation';
import { statementsKind } from './workload/statements';
import type { WorkloadKind } from './workload/workload';

interface MethodPackage {
  readonly name: string;
  readonly methods: readonly CompressionMethod[];
}

/** The one place that names what this build of Winnow offers; everything else looks it up here. */

/** Methods by the package that they come from, whose code their runs depend on. */
export const methodPackages: readonly MethodPackage[] = [
  { name: '@winnow/upop', methods: upopMethods },
  { name: '@winnow/one-shot', methods: oneShotMethods },
  { name: '@winnow/share-and-prune', methods: shareAndPruneMethods },
  { name: '@winnow/lottery-ticket', methods: lotteryTicketMethods },
];

export const methods: readonly CompressionMethod[] = methodPackages.flatMap(({ methods }) => methods);

export const workloads = [
  classificationKind,
  retrievalKind,
  groundingKind,
  detectionKind,
  questionsKind,
  segmentationKind,
  captionsKind,
  answersKind,
  statementsKind,
  entailmentKind,
  matchingKind,
  preTrainingKind,
] as const satisfies readonly WorkloadKind[];

/** The controls that every comparison sets beside the methods, unless it is told not to. */
export const controls: readonly Control[] = [
  {
    name: 'trained-on',
    label: 'dense, trained on',
    method: 'random',
    budget: '1x', // removes nothing: the same extra training and no compression
    options: {},
    startsAnew: false,
  },
  { name: 'random', label: 'random', method: 'random', options: {}, startsAnew: false },
  {
    name: 'magnitude',
    label: 'magnitude, at once',
    method: 'magnitude',
    options: { search: '0it' },
    startsAnew: false,
  },
  {
    name: 'from-scratch',
    label: 'small, from scratch',
    method: 'from-scratch',
    options: {},
    startsAnew: true,
  },
];
