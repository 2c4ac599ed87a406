/** A real logger, whose lines a test reads. */
import pino, { type Logger } from 'pino';

export interface TestLog {
  readonly logger: Logger;
  /** parsed, in the order they were written */
  readonly lines: readonly Record<string, unknown>[];
}

export function aLog(): TestLog {
  const lines: Record<string, unknown>[] = [];
  return { lines, logger: pino({}, { write: (line) => void lines.push(JSON.parse(line)) }) };
}
