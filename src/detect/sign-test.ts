/**
 * How unlikely it is that so many steps go the same way if up and down were equally likely.
 *
 * Method: two-sided binomial test on the signs of the differences of neighbours; equal neighbours
 * do not count. It holds for any positively correlated noise up to a random walk, and it sees what
 * a correction for such noise hides: a curve so smooth that it looks like correlation.
 * Assumptions: at most 1,000 steps, so that 2^-n is a number.
 * When it errs: it hardly sees a trend that is smaller, step for step, than the noise.
 * Cost: O(n). Source: Cox and Stuart 1955.
 */
export function signTest(v: Float64Array): number {
  let up = 0;
  let down = 0;
  for (let i = 1; i < v.length; i++) {
    if (v[i]! > v[i - 1]!) up++;
    else if (v[i]! < v[i - 1]!) down++;
  }
  return Math.min(1, 2 * binomialTail(up + down, Math.max(up, down)));
}

/** P(X >= k) for X ~ Binomial(n, 1/2), from the far end so that small terms are not lost. */
function binomialTail(n: number, k: number): number {
  let term = 0.5 ** n;
  let sum = 0;
  for (let heads = n; heads >= k; heads--) {
    sum += term;
    term *= heads / (n - heads + 1);
  }
  return sum;
}
