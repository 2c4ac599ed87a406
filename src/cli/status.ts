import type { CleanerWire, StatusWire } from '../http/status-schema.ts';
import { createClient, queryOf } from './client.ts';
import { CLIENT_HELP, CLIENT_OPTIONS, type Command, EXIT, textOf } from './command.ts';

/** Two columns: what, and how it is. */
function report(status: StatusWire): string {
  const { trend, pressure, self, current } = status;
  const rows: [string, string][] = [
    ['status', `${status.status.toUpperCase()}  ${status.timestamp}`],
    [
      'memory',
      `${status.target} ${current.process_memory_mb ?? 'unknown'} MiB, host ${current.system_memory_percent ?? 'unknown'} %`,
    ],
    [
      'trend',
      trend.reason
        ? `unknown: ${trend.reason}`
        : `${trend.direction} ${trend.slope_mb_per_hour} MiB/h`,
    ],
    ['limit', status.limits.explanation],
    [
      'pressure',
      `${pressure.level}${pressure.percent === null ? '' : ` (${pressure.percent.toFixed(1)} %)`}`,
    ],
    ...status.alerts.map((alert): [string, string] => ['alert', alert.message ?? alert.name]),
    ...status.cleaners
      .filter(({ runs }) => runs > 0)
      .map((cleaner): [string, string] => ['cleaned', cleanedBy(cleaner)]),
    ...status.targets.map((target): [string, string] => [
      'target',
      `${target.name} ${target.state}${target.pid === null ? '' : ` pid ${target.pid}`}${target.reason ? `: ${target.reason}` : ''}`,
    ]),
    [
      'self',
      `${self.cpu_percent === null ? 'CPU known after 30 s' : `${self.cpu_percent} % CPU`}, ${self.samples} samples, ${self.overruns} late`,
    ],
    ...self.warnings.map((warning): [string, string] => ['note', warning]),
  ];
  return rows.map(([what, how]) => `${what.padEnd(9)} ${how}`).join('\n');
}

function cleanedBy(worth: CleanerWire): string {
  const freed = (worth.freed_bytes_total / 2 ** 20).toFixed(1);
  const ended = worth.last_error === null ? '' : `, and failed: ${worth.last_error}`;
  return `${worth.cleaner} (${worth.target}): ${worth.ok} of ${worth.runs} runs went well, ${freed} MiB freed, last at ${worth.last_run}${ended}`;
}

export const command: Command = {
  summary: 'what grows, what it will hit, what was done',
  usage: '[--target NAME] [--check] [--json]',
  options: { ...CLIENT_OPTIONS, target: { type: 'string' }, check: { type: 'boolean' } },
  help: {
    target: 'a target, self or system',
    check: 'exit with 3 when the status is warning or worse, or unknown',
    ...CLIENT_HELP,
  },
  async run(args, io) {
    const query = queryOf({ target: textOf(args, 'target') });
    const status = await createClient(args, io).get<StatusWire>(`/internal/memory/status${query}`);
    io.out(args.values.json ? JSON.stringify(status) : `${status.summary}\n\n${report(status)}`);
    return args.values.check && status.status !== 'ok' ? EXIT.warning : EXIT.fine;
  },
};
