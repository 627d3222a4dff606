/** The part of jStat that is used here; it comes without types. */
declare module 'jstat' {
  const jStat: {
    readonly jStat: {
      readonly normal: {
        /** The quantile: z with P(Z ≤ z) = share. */
        inv(share: number, mean: number, deviation: number): number;
      };
      readonly studentt: {
        /** The quantile: t with P(T ≤ t) = share, for a number of degrees of freedom. */
        inv(share: number, degreesOfFreedom: number): number;
      };
    };
  };
  export default jStat;
}
