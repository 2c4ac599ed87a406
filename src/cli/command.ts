/** What a command of `memwarden` is. One file each; main.ts finds them by name. */
import type { ParseArgsConfig } from 'node:util';

export const EXIT = {
  fine: 0,
  failure: 1,
  usage: 2,
  warning: 3,
  unreachable: 69,
  badConfig: 78,
} as const;

export interface Io {
  readonly env: NodeJS.ProcessEnv;
  /** data */
  out(text: string): void;
  /** messages */
  err(text: string): void;
}

export interface Args {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

export interface Command {
  readonly summary: string;
  /** after the command's name */
  readonly usage: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** takes a FILE; other words on the command line are refused */
  readonly takesFile?: boolean;
  /** option → what it does, for --help */
  readonly help: Readonly<Record<string, string>>;
  /** Returns the exit code. May throw; main.ts says what and exits with 1, 69 or 78. */
  run(args: Args, io: Io): Promise<number>;
}

/** An option's value when it was given as text. */
export const textOf = (args: Args, name: string): string | undefined => {
  const value = args.values[name];
  return typeof value === 'string' ? value : undefined;
};

/** How a client finds the service, for every command that asks it something. */
export const CLIENT_OPTIONS = {
  url: { type: 'string' },
  json: { type: 'boolean' },
} as const;
export const CLIENT_HELP = {
  url: 'where memwarden listens; default MEMWARDEN_URL or http://127.0.0.1:8181',
  json: 'print what the service answered, unchanged',
} as const;
