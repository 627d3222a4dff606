import type { CompressionMethod } from '@winnow/core';
import { lotteryTicketMethods } from '@winnow/lottery-ticket';
import { shareAndPruneMethods } from '@winnow/share-and-prune';
import { upopMethods } from '@winnow/upop';
import { classificationKind } from './workload/classification';
import { retrievalKind } from './workload/retrieval';
import type { WorkloadKind } from './workload/workload';

/** The one place that names what this build of Winnow offers; everything else looks it up here. */

export const methods: readonly CompressionMethod[] = [
  ...upopMethods,
  ...shareAndPruneMethods,
  ...lotteryTicketMethods,
];

export const workloads = [classificationKind, retrievalKind] as const satisfies readonly WorkloadKind[];
