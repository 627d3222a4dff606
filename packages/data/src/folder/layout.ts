/** The layout of pictures in folders, as people are told. */
export const LAYOUT = 'train/<class>/*, test/<class>/* and, if there is one, validation/<class>/*';
