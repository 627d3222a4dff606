/** How pictures lie in folders, as people are told. */
export const LAYOUT = 'train/<class>/*, test/<class>/* and, if there is one, validation/<class>/*';
