/** An orderly end: every step is taken, whatever became of those before it. */

export type Step = readonly [what: string, close: () => unknown];

/**
 * Takes the steps in order, each when the one before has ended.
 * @throws the failure of the only step that failed, or an AggregateError that names each
 */
export async function closeInOrder(steps: readonly Step[]): Promise<void> {
  const failures: { what: string; error: unknown }[] = [];
  for (const [what, close] of steps) {
    try {
      await close();
    } catch (error) {
      failures.push({ what, error });
    }
  }
  if (failures.length === 1) throw failures[0]?.error;
  if (failures.length === 0) return;
  const errors = failures.map(({ error }) => error);
  const named = failures.map(({ what, error }) => `${what}: ${messageOf(error)}`);
  throw new AggregateError(errors, `not everything could be closed: ${named.join('; ')}`);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
