#!/usr/bin/env node
/** `memwarden [COMMAND] [options]`: finds the command, reads its options, and turns its end into an exit code. */
import { parseArgs } from 'node:util';
import { startLean } from '../footprint.ts';
import { readVersion } from '../version.ts';
import { type Args, type Command, EXIT, type Io } from './command.ts';

/** Loaded when asked for, so that a client command does not load the service. */
const COMMANDS: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  serve: () => import('./serve.ts'),
  status: () => import('./status.ts'),
  metrics: () => import('./metrics.ts'),
  cleanup: () => import('./cleanup.ts'),
  history: () => import('./history.ts'),
  'check-config': () => import('./check-config.ts'),
  init: () => import('./init.ts'),
};

const io: Io = {
  env: process.env,
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
};

async function overview(): Promise<string> {
  const names = Object.keys(COMMANDS);
  const width = Math.max(...names.map((name) => name.length));
  const lines = await Promise.all(
    names.map(async (name) => {
      const { command } = (await COMMANDS[name]?.()) ?? { command: undefined };
      return `  ${name.padEnd(width)}  ${command?.summary}`;
    }),
  );
  return `memwarden ${readVersion()}: a memory warden for services

usage: memwarden [COMMAND] [options]

${lines.join('\n')}

Without a command it serves. "memwarden COMMAND --help" says more.
Exit codes: 0 fine, 1 failure, 2 usage, 3 warning or worse, 69 unreachable, 78 bad configuration.`;
}

function helpOf(name: string, command: Command): string {
  const lines = Object.entries(command.help).map(([option, what]) => {
    const flag = command.options[option]?.type === 'string' ? `--${option} VALUE` : `--${option}`;
    return `  ${flag.padEnd(22)}${what}`;
  });
  return `usage: memwarden ${name} ${command.usage}\n\n${command.summary}\n\n${lines.join('\n')}`;
}

function readArgs(command: Command, argv: readonly string[]): Args {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { ...command.options, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
    strict: true,
  });
  return { values: values as Args['values'], positionals };
}

const exitCodeOf = (error: unknown): number => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('MEM_POLICY') || code === 'MEM_INSECURE_BIND') return EXIT.badConfig;
  if (code === 'MEM_UNREACHABLE') return EXIT.unreachable;
  if (code.startsWith('ERR_PARSE_ARGS') || code === 'MEM_BAD_REQUEST') return EXIT.usage;
  return EXIT.failure;
};

async function main(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === '--help' || first === '-h' || first === 'help') {
    io.out(await overview());
    return EXIT.fine;
  }
  if (first === '--version' || first === '-v') {
    io.out(readVersion());
    return EXIT.fine;
  }
  const named = first !== undefined && !first.startsWith('-');
  const name = named ? first : 'serve';
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) {
    io.err(`memwarden: there is no command "${name}". ${Object.keys(COMMANDS).join(', ')}.`);
    return EXIT.usage;
  }
  const { command } = await load();
  const args = readArgs(command, named ? rest : argv);
  if (args.values.help) {
    io.out(helpOf(name, command));
    return EXIT.fine;
  }
  const stray = args.positionals[command.takesFile ? 1 : 0];
  if (stray !== undefined) {
    io.err(`memwarden: "${stray}" has no place here. usage: memwarden ${name} ${command.usage}`);
    return EXIT.usage;
  }
  return command.run(args, io);
}

/** `memwarden history | head` is fine: who reads has read enough. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

startLean();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  io.err(`memwarden: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = exitCodeOf(error);
}
