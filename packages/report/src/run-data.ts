import type { DenseRow, Row } from '@winnow/comparison';
import type { LedgerEntry } from '@winnow/core';
import type { ClassResults } from './class-results';
import type { FoundFigures, KeptMap, Provenance } from './page-data';

/** The loss of one phase of a training, by the steps done. */
export interface LossCurve {
  readonly phase: string;
  readonly points: readonly (readonly [step: number, loss: number])[];
}

/** A picture of the test split that the two models take for different classes. */
export interface ChangedPicture {
  /** The picture itself, as a data URI. */
  readonly source: string;
  readonly label: string;
  readonly before: string;
  readonly after: string;
}

export interface ChangedPictures {
  /** Right before and wrong after, or the other way round: how many there are of each. */
  readonly lost: number;
  readonly gained: number;
  /** A handful of both. */
  readonly shown: readonly ChangedPicture[];
  /** Why none is shown; empty where they are. */
  readonly reason: string;
}

/** The answers of a run's models to an example of the test split. */
export interface SaidExample {
  /** Its pictures, as data URIs. */
  readonly pictures: readonly string[];
  /** The question, or the statement; empty where nothing was asked. */
  readonly asked: string;
  readonly right: string;
  readonly dense: string;
  /** The smaller model's answer; a training has none. */
  readonly compressed?: string;
  /** The boxes of a task that finds objects: where they are, and where either model finds them. */
  readonly boxes?: {
    readonly right: readonly ShownBox[];
    readonly dense: readonly ShownBox[];
    readonly compressed?: readonly ShownBox[];
  };
}

/** A box that is drawn onto a picture. */
export interface ShownBox {
  /** In shares of the picture's width and height. */
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  readonly label: string;
}

/** The proof of a run's files: a page beside this one, the parts that hold and that were left out; or why there is none. */
export type RunProofData =
  | { readonly page: string; readonly holds: readonly string[]; readonly leftOut: readonly string[] }
  | { readonly none: string };

/** Everything that the page of a single run shows. */
export interface RunPageData extends Provenance {
  /** The model that was trained, or is made smaller. */
  readonly dense: DenseRow;
  /** The smaller model; null of a training. */
  readonly smaller: Row | null;
  /** The proof of the smaller model at the end; null where none was made. */
  readonly proof: RunProofData | null;
  readonly losses: readonly LossCurve[];
  /** Null where the run is no classification, or did not keep its predictions. */
  readonly classes: ClassResults | null;
  readonly changed: ChangedPictures | null;
  /** Some examples, of models that answer in words; none of others. */
  readonly said: readonly SaidExample[];
  readonly ledger: readonly LedgerEntry[];
  readonly kept: readonly KeptMap[];
  readonly figures: readonly FoundFigures[];
}
