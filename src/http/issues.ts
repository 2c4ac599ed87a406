/** What a validator found, in words that say what would have been right. */
import type { FastifyError, FastifySchemaValidationError } from 'fastify';

export interface Issue {
  readonly pointer: string;
  readonly detail: string;
}

/** Ajv's `verbose` adds these. */
interface VerboseIssue extends FastifySchemaValidationError {
  readonly parentSchema?: {
    readonly type?: unknown;
    readonly minimum?: number;
    readonly maximum?: number;
    readonly enum?: readonly unknown[];
    readonly propertyNames?: { readonly description?: string };
  };
  readonly data?: unknown;
}

type Words = (issue: VerboseIssue) => string | undefined;

const A_TYPE: Readonly<Record<string, string>> = {
  integer: 'an integer',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
};

const typed: Words = ({ parentSchema, data }) => {
  const { type, minimum, maximum, enum: values } = parentSchema ?? {};
  if (values) return `expected one of ${values.join(', ')}, got ${shown(data)}`;
  const types = [type].flat().flatMap((each) => A_TYPE[String(each)] ?? []);
  if (types.length === 0) return undefined;
  const expected = types.join(' or ');
  return `expected ${expected}${range(minimum, maximum)}, got ${shown(data)}`;
};

function range(minimum?: number, maximum?: number): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}

const WORDS: Readonly<Record<string, Words>> = {
  type: typed,
  minimum: typed,
  maximum: typed,
  enum: typed,
  additionalProperties: ({ params }) => `has an unknown key ${shown(params.additionalProperty)}`,
  minProperties: ({ params }) => `expected at least ${keys(params.limit)}`,
  maxProperties: ({ params }) => `expected at most ${keys(params.limit)}`,
  propertyNames: ({ params, parentSchema }) =>
    `key ${shown(params.propertyName)}: expected ${parentSchema?.propertyNames?.description}`,
};

/** The issues of a request that is not as documented, each told once. */
export function issuesOf({ validation = [], validationContext }: FastifyError): Issue[] {
  const issues = (validation as VerboseIssue[])
    // `propertyNames` itself tells of the key
    .filter(({ schemaPath }) => !schemaPath?.includes('/propertyNames/'))
    .map((issue) => ({
      pointer: `${validationContext ?? ''}${issue.instancePath}`,
      detail: WORDS[issue.keyword]?.(issue) ?? issue.message ?? 'is not valid',
    }));
  return [...new Map(issues.map((issue) => [issue.pointer + issue.detail, issue])).values()];
}

const keys = (count: unknown): string => (count === 1 ? '1 key' : `${count} keys`);

function shown(value: unknown): string {
  // JSON has no Infinity, which is what becomes of 1e999.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
