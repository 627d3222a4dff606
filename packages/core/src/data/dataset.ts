import type { PictureSize, Sides } from '../families/picture-sides';

/** Where an augmentation's randomness comes from: the same seed, epoch and example give the same picture. */
export interface Augmentation {
  readonly seed: number;
  readonly epoch: number;
  /** Probability of painting over a rectangle of a picture, in place of the dataset's own. */
  readonly eraseProbability?: number;
}

/** Examples that can be fetched by index, in batches made off the main thread where that pays. */
export interface Dataset<Batch> {
  readonly size: number;
  /**
   * The order of an epoch: all indices, each once. For data of which neighbours are read fastest; without it any order is as good
   * as another.
   */
  order?(epoch: Pick<Augmentation, 'seed' | 'epoch'>): Int32Array;
  /** The examples at `indices`, in that order; augmented when asked, otherwise as for evaluation. */
  batch(indices: readonly number[], augmentation?: Augmentation): Promise<Batch>;
}

/** Pictures with class labels, in host memory. */
export interface ImageBatch {
  /** B: the number of pictures. */
  readonly size: number;
  /** Normalised pixels, [B, H, W, C] in row-major order. */
  readonly images: Float32Array;
  /** Class indices, [B]. */
  readonly labels: Int32Array;
}

/** Pictures and texts, in host memory; those of one group belong together. */
export interface PairBatch {
  /** B: the number of pictures. */
  readonly size: number;
  /** Normalised pixels, [B, H, W, C] in row-major order. */
  readonly images: Float32Array;
  readonly imageGroups: Int32Array;
  /** M: the number of texts. */
  readonly texts: number;
  /** Token indices, [M, T] with the T that the longest text of the batch needs. */
  readonly tokens: Int32Array;
  readonly textGroups: Int32Array;
}

/** Pictures, each with a text, and the objects that the texts name, in host memory. */
export interface GroundingBatch {
  /** B: the number of pictures. */
  readonly size: number;
  /** Normalised pixels, [B, H, W, C] in row-major order. */
  readonly images: Float32Array;
  /** B again: the number of texts. */
  readonly texts: number;
  /** Token indices, [B, T] with the T that the longest text of the batch needs. */
  readonly tokens: Int32Array;
  readonly objects: {
    /** Centre x and y, width and height in shares of the picture, [N, 4]. */
    readonly boxes: Float32Array;
    /** The example that each is of, [N], ascending. */
    readonly examples: Int32Array;
    /** Places in their texts of the tokens that name them. */
    readonly tokens: readonly Int32Array[];
  };
}

/** Pictures, each with a list of classes to look for, and where objects of them are, in host memory. */
export interface DetectionBatch extends GroundingBatch {
  /** The objects that a list of all classes asks for, in the pictures as they were annotated. */
  readonly truths: TruthsOfPictures;
}

/** The objects of some pictures, at the size at which they were annotated. */
export interface TruthsOfPictures {
  /** Sides of each picture, in pixels, [B]. */
  readonly sizes: readonly Sides[];
  /** The picture that each object is of, [M]. */
  readonly examples: Int32Array;
  /** The class of each, [M]. */
  readonly classes: Int32Array;
  /** Left, top, right and bottom in pixels, [M, 4]. */
  readonly boxes: Float64Array;
  /** In pixels², of the object rather than of its box, [M]. */
  readonly areas: Float64Array;
  /** 1 where it stands for a crowd, [M]. */
  readonly crowds: Uint8Array;
}

/** Pictures, each with a question, in host memory. */
export interface QuestionBatch {
  /** B: the number of pictures. */
  readonly size: number;
  /** Normalised pixels, [B, H, W, C] in row-major order. */
  readonly images: Float32Array;
  /** B again: the number of texts. */
  readonly texts: number;
  /** Token indices, [B, T] with the T that the longest text of the batch needs. */
  readonly tokens: Int32Array;
  /** The type of each question, [B], and its answer among those of the type, [B]; −1 for one that nobody can give. */
  readonly types: Int32Array;
  readonly answers: Int32Array;
}

/** Regions of pictures in place of their pixels, in host memory. */
export interface PictureRegions {
  /** R: regions of the picture that has most of them. */
  readonly count: number;
  /** Numbers that say what a region shows, [B, R, F] in row-major order; 0 for padding. */
  readonly features: Float32Array;
  /** Left, top, right and bottom in shares of the picture, [B, R, 4]; 0 for padding. */
  readonly boxes: Float32Array;
  /** 1 for a region and 0 for padding, [B, R]. */
  readonly real: Float32Array;
}

/** Regions of pictures, each picture with a question, in host memory. */
export interface RegionQuestionBatch extends Omit<QuestionBatch, 'images'> {
  readonly regions: PictureRegions;
}

/** Regions of pictures, each picture with a text that means one object, in host memory. */
export interface RegionGroundingBatch {
  /** B: the number of pictures. */
  readonly size: number;
  readonly regions: PictureRegions;
  /** B again: the number of texts. */
  readonly texts: number;
  /** Token indices, [B, T] with the T that the longest text of the batch needs. */
  readonly tokens: Int32Array;
  /** The object that each means: left, top, right and bottom in shares of the picture, [B, 4]. */
  readonly truths: Float32Array;
}

/** Regions of pictures and texts of which something is hidden, or which do not belong together, in host memory. */
export interface HiddenBatch {
  /** B: the number of examples. */
  readonly size: number;
  readonly regions: PictureRegions;
  /** Which regions are hidden, [B, R] of 1 and 0. */
  readonly hiddenRegions: Float32Array;
  /** The class of hidden regions that are asked for it, −1 of those that are asked for their features and of others, [B, R]. */
  readonly hiddenClasses?: Int32Array;
  /** B again: the number of texts. */
  readonly texts: number;
  /** Token indices, [B, T], with others in place of hidden words. */
  readonly tokens: Int32Array;
  /** The word that is hidden at a place, or −1, [B, T]. */
  readonly hiddenWords: Int32Array;
  /** The answer to a text that is a question, −1 of others, [B]. */
  readonly answers?: Int32Array;
  /** Whether the text is about the picture: 1 if it is, 0 if not, and −1 where that is not asked, [B]. */
  readonly matches: Int32Array;
}

/** Pairs of pictures, each with a statement, in host memory. */
export interface StatementBatch {
  /** B: the number of pairs. */
  readonly size: number;
  /** Normalised pixels, [2·B, H, W, C] in row-major order, the two of a pair one after the other. */
  readonly images: Float32Array;
  /** B again: the number of texts. */
  readonly texts: number;
  /** Token indices, [B, T] with the T that the longest text of the batch needs. */
  readonly tokens: Int32Array;
  /** 1 where a statement is true of its pair and 0 where it is not, [B]. */
  readonly labels: Int32Array;
}

/** Regions of pairs of pictures, each pair with a statement, in host memory. */
export interface RegionStatementBatch extends Omit<StatementBatch, 'images'> {
  /** Those of 2·B pictures, the two of a pair one after the other. */
  readonly regions: PictureRegions;
}

/** Pictures, each with a statement that it says to be true, or false, or neither, in host memory. */
export interface EntailmentBatch {
  /** B: the number of pictures. */
  readonly size: number;
  /** Normalised pixels, [B, H, W, C] in row-major order. */
  readonly images: Float32Array;
  /** B again: the number of texts. */
  readonly texts: number;
  /** Token indices, [B, T] with the T that the longest text of the batch needs. */
  readonly tokens: Int32Array;
  /** The class of each, [B]. */
  readonly labels: Int32Array;
}

/** Regions of pictures, each picture with such a statement, in host memory. */
export interface RegionEntailmentBatch extends Omit<EntailmentBatch, 'images'> {
  readonly regions: PictureRegions;
}

/** Regions of pictures and texts, in host memory; those of one group belong together. */
export interface RegionPairBatch extends Omit<PairBatch, 'images'> {
  readonly regions: PictureRegions;
}

/** Pictures, each with a question and its answer in words, in host memory. */
export interface AnswerBatch {
  /** B: the number of pictures. */
  readonly size: number;
  /** Normalised pixels, [B, H, W, C] in row-major order. */
  readonly images: Float32Array;
  /** B again: the number of texts. */
  readonly texts: number;
  /** Token indices of the questions, [B, T] with the T that the longest text of the batch needs. */
  readonly tokens: Int32Array;
  /** Token indices of the answers, [B, N], with a start and an end as texts have them. */
  readonly answers: Int32Array;
  /** The answers that people gave to each, or the one that is right. */
  readonly given: readonly (readonly string[])[];
  /** The type of each question, [B]. */
  readonly types: Int32Array;
}

/** Pictures, and what each of their pixels shows, in host memory. */
export interface SegmentationBatch {
  /** B: the number of pictures. */
  readonly size: number;
  /** Normalised pixels, [B, H, W, C] in row-major order. */
  readonly images: Float32Array;
  /** The class of each pixel, or 255 where it does not count, [B, H, W]. */
  readonly masks: Uint8Array;
  /** The pictures as they are scored, where `images` are not the whole of them: as many. */
  readonly wholes?: readonly WholePicture[];
}

/** A picture that is larger than a model takes, and what each of its pixels shows. */
export interface WholePicture {
  /** Sides of the pixels that a model looks at, none smaller than it takes. */
  readonly height: number;
  readonly width: number;
  /** Normalised pixels, [height, width, C] in row-major order. */
  readonly pixels: Float32Array;
  /** The truth at the picture's own size: [maskHeight, maskWidth], a class or 255. */
  readonly mask: Uint8Array;
  readonly maskHeight: number;
  readonly maskWidth: number;
}

export interface Splits<Batch> {
  readonly train: Dataset<Batch>;
  readonly validation: Dataset<Batch>;
  readonly test: Dataset<Batch>;
}

/** A labelled image dataset, ready for a model of one input size. */
export interface ImageClassificationData extends Splits<ImageBatch> {
  readonly name: string;
  readonly classes: readonly string[];
  /** H and W of the pictures, in pixels. */
  readonly imageSize: PictureSize;
  readonly channels: number;
}

/** Pictures with texts about them, ready for a dual encoder. */
export interface ImageTextData extends Splits<PairBatch> {
  readonly name: string;
  /** H and W of the pictures, in pixels. */
  readonly imageSize: PictureSize;
  readonly channels: number;
  /** The texts' vocabulary, as the text tower's configuration needs it. */
  readonly vocabulary: number;
  readonly endToken: number;
  /** Tokens of the longest text, start and end included. */
  readonly context: number;
}
