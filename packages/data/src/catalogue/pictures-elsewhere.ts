/** Where the pictures lie that a file names. */
export interface PicturesElsewhere {
  /** By default the folder of the file. */
  readonly images?: string;
}

/** Data that no file names, with a note where somebody said in which folder its pictures lie. */
export const withoutImages = <Data extends { readonly notes: readonly string[] }>(
  data: Data,
  images: string | undefined,
): Data =>
  images === undefined
    ? data
    : { ...data, notes: [...data.notes, '--images is for files, and not used here'] };
