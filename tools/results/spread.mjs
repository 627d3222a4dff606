export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The sample standard deviation. */
export function deviation(values) {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** Mean ± sample deviation over the seeds; the mean alone of a single one. */
export function spread(values, digits = 1) {
  const center = mean(values).toFixed(digits);
  return values.length < 2 ? center : `${center} ± ${deviation(values).toFixed(digits)}`;
}
