/** The extents of a reconstruction, from the least to the most. */
export const reconstructionKinds = ['bias', 'units', 'bases', 'project'] as const;
/**
 * - `bias`: the means of the units that are gone go into the biases of what reads them.
 * - `units`: the units that were decided on are read so that they stand for the others as well as they can, and of queries and
 *   keys the kept dimensions say what the others said.
 * - `bases`: likewise for hidden units; of heads, each has the dimensions that keep the most, combinations of the dense ones.
 * - `project`: as `bases`, from the dense model as it was before the search, of whose decision only the numbers of units count;
 *   hidden units are chosen anew by the error that the others leave.
 */
export type ReconstructionKind = (typeof reconstructionKinds)[number];
