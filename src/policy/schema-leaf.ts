/**
 * The single values a policy is made of, as TypeBox types. Each carries `description` and
 * `expected` (what an error says was expected); a `default` is written as in the file.
 */

import type { TSchema } from 'typebox';
import * as Type from '../typebox.ts';
import { unmetByPattern } from './command-pattern.ts';
import { MEBIBYTE, MINUTE_MS, parseDuration, parseSize } from './units.ts';
import { describeSchemes, unmetByUrl } from './url.ts';

/** Names of targets, services, cleaners, channels and roles; also Prometheus labels and URL parts. */
export const NAME_PATTERN = '^[A-Za-z0-9_.-]{1,64}$';

export const NAME_EXPECTED = '1 to 64 letters, digits, "_", "." or "-"';

const LONGEST_TEXT = 4096;
const LONGEST_PATTERN = 500;

interface LeafOptions<Value> {
  readonly description: string;
  readonly default?: Value;
}

interface Range<Value> {
  readonly min: Value;
  readonly max: Value;
}

export function text({ max = LONGEST_TEXT, ...options }: LeafOptions<string> & { max?: number }) {
  const expected = `a text of 1 to ${max} characters`;
  return Type.String({ ...options, minLength: 1, maxLength: max, expected });
}

export function name(options: LeafOptions<string>) {
  return Type.String({ ...options, pattern: NAME_PATTERN, expected: NAME_EXPECTED });
}

export function flag(options: LeafOptions<boolean>) {
  return Type.Boolean({ ...options, expected: 'true or false' });
}

/** A key that is only ever written as `true`. */
export function yes(options: LeafOptions<true>) {
  return Type.Literal(true, { ...options, expected: 'true' });
}

export function wholeNumber({ min, max, ...options }: LeafOptions<number> & Range<number>) {
  const expected = `a whole number from ${min} to ${max}`;
  return Type.Integer({ ...options, minimum: min, maximum: max, expected });
}

export function number(options: LeafOptions<number>) {
  return Type.Number({ ...options, expected: 'a number' });
}

export function percent(options: LeafOptions<number>) {
  const expected = 'a number above 0, at most 100';
  return Type.Number({ ...options, exclusiveMinimum: 0, maximum: 100, expected });
}

export function choice<const Value extends string>(
  values: readonly Value[],
  options: LeafOptions<Value>,
) {
  return Type.Enum([...values], { ...options, expected: `one of ${values.join(', ')}` });
}

export function duration({ min, max, ...options }: LeafOptions<string> & Range<string>) {
  const expected = `a duration from ${min} to ${max}, such as 500ms, 30s, 10m, 24h or 30d`;
  const accepts = within(parseDuration(min), parseDuration(max), parseDuration);
  return Type.Refine(Type.String({ ...options, expected }), accepts);
}

/** A duration under a key that ends in `_minutes`: a bare number counts minutes. */
export function minutes({ min, max, ...options }: LeafOptions<number> & Range<number>) {
  const expected = `minutes from ${min} to ${max}, or a duration such as 90s`;
  const parse = (value: unknown) => parseDuration(value, { numberUnit: MINUTE_MS });
  const accepts = within(parse(min), parse(max), parse);
  return Type.Refine(Type.Union([Type.Number(), Type.String()], { ...options, expected }), accepts);
}

export function size(options: LeafOptions<string>) {
  const expected = 'a size of at least 1MiB, such as 512MB or 512MiB';
  const accepts = within(MEBIBYTE, Number.MAX_SAFE_INTEGER, parseSize);
  return Type.Refine(Type.String({ ...options, expected }), accepts);
}

/** A size under a key that ends in `_mb`: a bare number counts MiB. */
export function mebibytes(options: LeafOptions<number>) {
  const expected = 'MiB as a number of at least 1, or a size such as 512MB or 512MiB';
  const parse = (value: unknown) => parseSize(value, { numberUnit: MEBIBYTE });
  const accepts = within(MEBIBYTE, Number.MAX_SAFE_INTEGER, parse);
  return Type.Refine(Type.Union([Type.Number(), Type.String()], { ...options, expected }), accepts);
}

/** A regular expression for command lines; see command-pattern.ts. */
export function pattern(options: LeafOptions<string>) {
  const expected = `a regular expression of 1 to ${LONGEST_PATTERN} characters in RE2 syntax, without look-around and back-references`;
  const isTooLong = (source: string) => source.length === 0 || source.length > LONGEST_PATTERN;
  return textThat((source) => (isTooLong(source) ? expected : unmetByPattern(source)), {
    ...options,
    expected,
  });
}

/** A URL to call; see url.ts. */
export function url(schemes: readonly string[], options: LeafOptions<string>) {
  const expected = `${describeSchemes(schemes)}, without user and password`;
  return textThat((value) => unmetByUrl(value, schemes), { ...options, expected });
}

/** The path of a cgroup, below the mount of its hierarchy. */
export function cgroupPath(options: LeafOptions<string>) {
  const expected = `a cgroup path of 1 to ${LONGEST_TEXT} characters, without ".." in it`;
  return textThat((path) => (isText(path) && !path.split('/').includes('..') ? null : expected), {
    ...options,
    expected,
  });
}

export function unitName(options: LeafOptions<string>) {
  const expected = 'the name of a systemd unit such as api.service, without "/"';
  return textThat((unit) => (isText(unit) && !unit.includes('/') ? null : expected), {
    ...options,
    expected,
  });
}

/** A program and its arguments, run without a shell. */
export function argv(options: LeafOptions<string[]>) {
  const expected = 'a list of texts: the program, then its arguments';
  return Type.Array(Type.String(), { ...options, minItems: 1, expected, leaf: true });
}

/** A list of single values, told as one: an error in an item is an error of the list. */
export function listOfValues<Item extends TSchema>(
  item: Item,
  { expected, ...options }: LeafOptions<string[]> & { readonly expected: string },
) {
  return Type.Array(item, { ...options, expected, leaf: true });
}

/** The same value or null, which is the default. */
export function nullable<Value extends TSchema>(value: Value) {
  const { description, expected } = value as { description?: string; expected?: string };
  const options = { description, expected: `${expected}, or null`, default: null };
  return Type.Union([value, Type.Null()], options);
}

function within(
  min: number,
  max: number,
  parse: (value: unknown) => number,
): (value: unknown) => boolean {
  return (value) => {
    try {
      const parsed = parse(value);
      return parsed >= min && parsed <= max;
    } catch {
      return false;
    }
  };
}

/** A text of which `unmet` says what is expected in its place, or null when it will do. */
function textThat(
  unmet: (value: string) => string | null,
  options: LeafOptions<string> & { readonly expected: string },
) {
  const expectedOf = (value: unknown) => (typeof value === 'string' ? unmet(value) : null);
  return Type.Refine(Type.String({ ...options, expectedOf }), (value) => unmet(value) === null);
}

function isText(value: string): boolean {
  return value.length > 0 && value.length <= LONGEST_TEXT;
}
