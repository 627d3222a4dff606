/** The content of a proof's page: a certificate, as far as people read it. */
export interface ProofPageData {
  readonly verdict: 'proven' | 'failed';
  readonly checks: readonly {
    readonly name: string;
    readonly verdict: 'holds' | 'fails' | 'left out';
    readonly says: readonly string[];
  }[];
  readonly model: { readonly summary: string; readonly precision: string; readonly parametersSha256: string };
  readonly against: { readonly summary: string; readonly parametersSha256: string } | null;
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly bytes: number }[];
  readonly counts: {
    readonly parameters: { readonly report: number; readonly files: number };
    readonly macs: { readonly report: number; readonly files: number; readonly unread: number };
  };
  readonly timings: readonly {
    readonly part: string;
    readonly batch: number;
    readonly rounds: number;
    readonly ownMs: Interval;
    readonly denseMs: Interval;
    readonly timesFaster: Interval;
  }[];
  readonly environment: Readonly<Record<string, string | number>>;
}

interface Interval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}
