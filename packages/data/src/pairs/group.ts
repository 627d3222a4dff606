/** Pictures and texts that belong together: one photograph and its captions, or the drawings of one emoji and its names. */
export interface PairGroup {
  /** Paths of the picture files, at least one. */
  readonly pictures: readonly string[];
  /** At least one. */
  readonly texts: readonly string[];
}
