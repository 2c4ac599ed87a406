/** Real programs for end-to-end tests: what they print, how they end, and that they do end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const PATIENCE_MS = 20_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The lines of a stream, as they come. */
export interface Lines {
  readonly all: readonly string[];
  /** The first line that passes, past or to come. Rejects when the stream ends, or 20 s pass, without it. */
  find(passes: (line: string) => boolean): Promise<string>;
}

export interface Program {
  readonly pid: number;
  readonly stdout: Lines;
  readonly stderr: Lines;
  /** both streams are read to their end by then */
  readonly exit: Promise<Exit>;
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<Exit>;
  /** Reads no more of what it says: its next write finds a broken pipe. */
  hangUp(): void;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const running = new Set<Program>();

/** Starts a program; resolves once it runs. `endPrograms` ends what a test leaves. */
export async function start(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Program> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = exitOf(child);
  const stdout = linesOf(child.stdout);
  const stderr = linesOf(child.stderr);
  await once(child, 'spawn');
  const program: Program = {
    pid: child.pid as number,
    stdout,
    stderr,
    exit,
    end(signal = 'SIGTERM') {
      child.kill(signal);
      return exit;
    },
    hangUp() {
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
  running.add(program);
  exit.then(() => running.delete(program));
  return program;
}

export interface Outcome extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Outcome> {
  const program = await start(command, args, options);
  const exit = await program.exit;
  return { ...exit, stdout: program.stdout.all.join('\n'), stderr: program.stderr.all.join('\n') };
}

/** For afterEach: ends what is still running, by pid. */
export async function endPrograms(): Promise<void> {
  await Promise.all([...running].map((program) => program.end('SIGKILL')));
}

/** Asks again and again until the answer passes. Rejects with the last answer when none does in time. */
export async function eventually<T>(
  ask: () => Promise<T>,
  passes: (answer: T) => boolean,
  withinMs = PATIENCE_MS,
): Promise<T> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (passes(answer)) return answer;
    if (performance.now() > deadlineMs) {
      throw new Error(`not within ${withinMs} ms; at last: ${JSON.stringify(answer)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = await once(child, 'close');
  return { code, signal };
}

function linesOf(stream: Readable): Lines {
  const all: string[] = [];
  const reader = createInterface({ input: stream });
  reader.on('line', (line) => all.push(line));
  return {
    all,
    find(passes) {
      const past = all.find(passes);
      if (past !== undefined) return Promise.resolve(past);
      return new Promise((resolve, reject) => {
        const settle = (line?: string): void => {
          clearTimeout(timer);
          reader.off('line', onLine).off('close', settle);
          if (line !== undefined) resolve(line);
          else reject(new Error(`it only said:\n${all.join('\n')}`));
        };
        const onLine = (line: string): void => {
          if (passes(line)) settle(line);
        };
        const timer = setTimeout(settle, PATIENCE_MS);
        reader.on('line', onLine).once('close', settle);
      });
    },
  };
}
