// What a page needs to prepare pictures and to read texts as this package does, without files and without a decoder.
export { framed } from './picture/geometry';
export { type Normalisation, normaliser } from './picture/normalisation';
export type { Picture } from './picture/picture';
export { type EncodedTexts, encodeAll } from './tokenizer/encode-all';
export type { Tokenizer } from './tokenizer/tokenizer';
export { tokenizerFrom } from './tokenizer/tokenizer-from';
