import { formatBytes } from '../detect/words.ts';
import type { CleanupRunWire } from '../http/schemas.ts';
import { createClient } from './client.ts';
import { CLIENT_HELP, CLIENT_OPTIONS, type Command, EXIT, textOf } from './command.ts';

function report(run: CleanupRunWire): string {
  const rows = run.results.map((row) => {
    const freed = row.freed_bytes === null ? '' : `  ${formatBytes(row.freed_bytes)} freed`;
    const said = row.error ?? row.plan;
    return `  ${row.outcome.padEnd(9)} ${row.cleaner} (${row.target})${freed}${said ? `  ${said}` : ''}`;
  });
  const total = run.freed_mb === null ? 'unknown' : `${run.freed_mb} MiB`;
  const head = run.dry_run
    ? 'nothing was done; a run would'
    : `freed ${total} in ${run.duration_ms} ms`;
  return [`${run.level} cleanup: ${head}`, ...rows].join('\n');
}

export const command: Command = {
  summary: 'free what can be freed',
  usage: '[--level gentle|aggressive|emergency] [--target NAME] [--dry-run] [--json]',
  options: {
    ...CLIENT_OPTIONS,
    level: { type: 'string' },
    target: { type: 'string' },
    'dry-run': { type: 'boolean' },
  },
  help: {
    level: 'how far to go; default emergency',
    target: 'only this target',
    'dry-run': 'say what would be done, and do nothing',
    ...CLIENT_HELP,
  },
  async run(args, io) {
    const body = {
      level: textOf(args, 'level'),
      target: textOf(args, 'target'),
      dry_run: args.values['dry-run'] === true,
    };
    const client = createClient(args, io);
    const run = await client.post<CleanupRunWire>('/internal/memory/cleanup', body);
    io.out(args.values.json ? JSON.stringify(run) : report(run));
    const bad = run.results.some((row) => row.outcome === 'failed' || row.outcome === 'timed_out');
    return bad ? EXIT.failure : EXIT.fine;
  },
};
