/** A list of classes as a text for a model to look for: which of its tokens name which class. */
export interface DetectionPrompt {
  /** Token indices, [T], start and end included. */
  readonly tokens: Int32Array;
  /** Classes in the order of the text. */
  readonly named: readonly {
    /** Index among all classes. */
    readonly index: number;
    /** Places of its tokens in the text. */
    readonly places: Int32Array;
  }[];
}
