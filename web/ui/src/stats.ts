/* How sure a share is, and where a change in sales comes from. Pure. */

/* Of 95%: the z of the normal distribution. */
const Z = 1.959964;

/* Wilson's interval of a share, null without a whole. */
export function interval(part: number, whole: number): { low: number; high: number } | null {
  if (whole <= 0) return null;
  const share = part / whole;
  const square = Z * Z;
  const middle = (share + square / (2 * whole)) / (1 + square / whole);
  const reach =
    (Z / (1 + square / whole)) * Math.sqrt((share * (1 - share)) / whole + square / (4 * whole * whole));
  return { low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) };
}

/* The smallest number of visitors whose rate says anything. */
export const FEW_VISITORS = 30;

/* The change of a product, split over its factors so that the parts add up to it: each factor's part
 * is the mean of what it changes over every order in which the factors could have changed (its
 * Shapley value; with two factors this is the mean of first and last).
 *
 * before, after: the factors, of equal number (at most 16), all finite and not negative.
 */
export function splitChange(before: number[], after: number[]): number[] {
  const n = before.length;
  const factorial = [1];
  for (let i = 1; i <= n; i++) factorial[i] = (factorial[i - 1] ?? 1) * i;
  const parts = new Array<number>(n).fill(0);
  /* the sum, over subsets of the other factors of each size, of their products (changed those of the
   * subset, as before the rest): a polynomial in the size, built factor by factor */
  for (let k = 0; k < n; k++) {
    let sums = [1];
    for (let j = 0; j < n; j++) {
      if (j === k) continue;
      const next = new Array<number>(sums.length + 1).fill(0);
      sums.forEach((sum, size) => {
        next[size] = (next[size] ?? 0) + sum * (before[j] ?? 0);
        next[size + 1] = (next[size + 1] ?? 0) + sum * (after[j] ?? 0);
      });
      sums = next;
    }
    const weighted = sums.reduce((total, sum, size) => {
      const weight = ((factorial[size] ?? 1) * (factorial[n - 1 - size] ?? 1)) / (factorial[n] ?? 1);
      return total + sum * weight;
    }, 0);
    parts[k] = weighted * ((after[k] ?? 0) - (before[k] ?? 0));
  }
  return parts;
}

/* Whole numbers that add up to `total`, each at most one away from its part: the largest rests are
 * rounded up (largest remainder). */
export function roundParts(parts: number[], total: number): number[] {
  const floors = parts.map(Math.floor);
  const missing = total - floors.reduce((sum, part) => sum + part, 0);
  const order = parts
    .map((part, index) => ({ rest: part - Math.floor(part), index }))
    .sort((a, b) => b.rest - a.rest || a.index - b.index);
  order.slice(0, Math.max(0, missing)).forEach(({ index }) => {
    floors[index] = (floors[index] ?? 0) + 1;
  });
  return floors;
}
