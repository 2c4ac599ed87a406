/** A fault found in a policy before it is known where in which file it stands. */

export type Path = readonly (string | number)[];

export interface Finding {
  readonly path: Path;
  /** reads on from "expected" */
  readonly expected: string;
  /** reads on from "got" */
  readonly got: string;
}

const LONGEST_SHOWN = 40;

/** `['targets', 0, 'name']` as `targets[0].name`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** What was found, short and on one line. Of a URL only the scheme: the rest may hold a secret. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const schemeEnd = value.indexOf('://');
  const shown = schemeEnd === -1 ? value : `${value.slice(0, schemeEnd)}://…`;
  return JSON.stringify(shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}…` : shown);
}
