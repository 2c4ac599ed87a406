/** What the environment and the command line say, as values to lay over the file. */

import { expectOneOf } from './did-you-mean.ts';
import { formatPath, type Path } from './finding.ts';
import type { PolicyProblem } from './problem.ts';

/** Options of the command line that end in the policy. */
export interface PolicyFlags {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string | number;
  readonly dataDir?: string;
}

/** The variables of the process, or those a caller chose to pass. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Override {
  readonly path: Path;
  readonly value: unknown;
  /** where a problem with the value is told: `environment` or `command line`, and the name there */
  readonly origin: { readonly file: string; readonly key: string };
}

const SETTING_BY_VARIABLE: Readonly<
  Record<string, { readonly path: Path; readonly parse: (value: string) => unknown }>
> = {
  MEMWARDEN_HOST: { path: ['server', 'host'], parse: String },
  MEMWARDEN_PORT: { path: ['server', 'port'], parse: wholeNumberOrText },
  MEMWARDEN_TOKEN_FILE: { path: ['server', 'token_file'], parse: String },
  MEMWARDEN_ALLOWED_HOSTS: { path: ['server', 'allowed_hosts'], parse: commaList },
  MEMWARDEN_DATA_DIR: { path: ['data_dir'], parse: String },
  MEMWARDEN_INTERVAL: { path: ['sampling', 'interval'], parse: String },
};

/** Every variable there is, and what it sets. The last two are set for others to read. */
export const VARIABLES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(SETTING_BY_VARIABLE).map(([variable, { path }]) => [variable, formatPath(path)]),
  ),
  MEMWARDEN_CONFIG: 'the file to read',
  MEMWARDEN_TOKEN: 'the bearer token itself; comes before server.token_file',
  MEMWARDEN_URL: 'where the client commands find the service',
  MEMWARDEN_TARGET: 'given to the command of a cleaner: the name of its target',
};

const TOKEN = /^[\x21-\x7e]+$/;

/** Variables in force, lowest precedence first; a later override wins over an earlier one. */
export function overridesOf(env: Environment, flags: PolicyFlags): Override[] {
  return [...environmentOverrides(env), ...flagOverrides(flags)];
}

/** Variables that are misspelt or empty, and a token that no header can carry. */
export function checkEnvironment(env: Environment): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const tell = (key: string, expected: string, got: string) =>
    problems.push({ file: 'environment', line: null, column: null, key, expected, got });
  for (const [variable, value] of ownVariables(env)) {
    if (!Object.hasOwn(VARIABLES, variable)) {
      tell(variable, expectOneOf(variable, Object.keys(VARIABLES)), 'an unknown variable');
    } else if (value === '') {
      tell(variable, 'a value, or no such variable', 'an empty one');
    } else if (variable === 'MEMWARDEN_TOKEN' && !isToken(value)) {
      tell(variable, TOKEN_EXPECTED, 'something else');
    }
  }
  return problems;
}

export const TOKEN_EXPECTED = 'a token of printable ASCII characters without spaces';

/** True when the text can stand behind `Authorization: Bearer`. */
export function isToken(value: string): boolean {
  return TOKEN.test(value);
}

function environmentOverrides(env: Environment): Override[] {
  return ownVariables(env).flatMap(([variable, value]) => {
    const setting = SETTING_BY_VARIABLE[variable];
    if (setting === undefined || value === '') return [];
    const origin = { file: 'environment', key: variable };
    return [{ path: setting.path, value: setting.parse(value), origin }];
  });
}

function flagOverrides({ host, port, dataDir }: PolicyFlags): Override[] {
  const given: [string, Path, unknown][] = [
    ['--host', ['server', 'host'], host],
    ['--port', ['server', 'port'], typeof port === 'string' ? wholeNumberOrText(port) : port],
    ['--data-dir', ['data_dir'], dataDir],
  ];
  return given
    .filter(([, , value]) => value !== undefined)
    .map(([key, path, value]) => ({ path, value, origin: { file: 'command line', key } }));
}

function ownVariables(env: Environment): [string, string][] {
  return Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[0].startsWith('MEMWARDEN_') && entry[1] !== undefined && !isServiceLink(entry),
  );
}

/**
 * Kubernetes and Docker links put variables named after every service into a container: a service
 * called memwarden would otherwise stop every memwarden beside it (MEMWARDEN_PORT=tcp://…).
 */
function isServiceLink([variable, value]: [string, string | undefined]): boolean {
  const isAddress = /^(tcp|udp|sctp):\/\//.test(value ?? '');
  if (isAddress && variable.endsWith('_PORT')) return true;
  return /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/.test(variable);
}

function wholeNumberOrText(value: string): number | string {
  return /^\d{1,9}$/.test(value) ? Number(value) : value;
}

function commaList(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
