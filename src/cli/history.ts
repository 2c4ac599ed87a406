import { createClient, queryOf } from './client.ts';
import { CLIENT_HELP, CLIENT_OPTIONS, type Command, EXIT, textOf } from './command.ts';

interface History {
  t: string[];
  series: Record<string, (number | null)[]>;
}

/** CSV with a header; an unknown value is an empty field. */
function csv({ t, series }: History): string {
  const names = Object.keys(series);
  const columns = names.map((name) => series[name] ?? []);
  const rows = t.map((time, row) =>
    [time, ...columns.map((column) => column[row] ?? '')].join(','),
  );
  return [['time', ...names].join(','), ...rows].join('\n');
}

export const command: Command = {
  summary: 'columns of samples, up to 24 h back, as CSV',
  usage: '[--target NAME] [--series a,b] [--from 1h] [--to TIME] [--points N] [--json]',
  options: {
    ...CLIENT_OPTIONS,
    target: { type: 'string' },
    series: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    points: { type: 'string' },
  },
  help: {
    target: 'a target, self or system',
    series: 'names, comma separated; default rss_bytes',
    from: 'RFC 3339, or a span back from now such as 10m; default 1h',
    to: 'the same; default now',
    points: 'at most so many rows, 2–5000; default 500',
    ...CLIENT_HELP,
  },
  async run(args, io) {
    const target = textOf(args, 'target');
    const query = queryOf({
      target,
      series: textOf(args, 'series') ?? (target === 'system' ? 'used_bytes' : 'rss_bytes'),
      from: textOf(args, 'from'),
      to: textOf(args, 'to'),
      points: textOf(args, 'points'),
    });
    const history = await createClient(args, io).get<History>(`/internal/memory/history${query}`);
    io.out(args.values.json ? JSON.stringify(history) : csv(history));
    return EXIT.fine;
  },
};
