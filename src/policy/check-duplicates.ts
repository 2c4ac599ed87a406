import type { Finding, Path } from './finding.ts';

/** Every name of a list that an earlier entry has already. */
export function checkDuplicates(
  path: Path,
  entries: readonly { readonly name: string }[],
): Finding[] {
  const seen = new Set<string>();
  return entries.flatMap(({ name }, index) => {
    const isRepeated = seen.has(name);
    seen.add(name);
    if (!isRepeated) return [];
    return [
      {
        path: [...path, index, 'name'],
        expected: 'a name of its own',
        got: `${JSON.stringify(name)} again`,
      },
    ];
  });
}
