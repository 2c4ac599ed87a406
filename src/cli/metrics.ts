import type { ReadingWire } from '../http/schemas.ts';
import { createClient, queryOf } from './client.ts';
import { CLIENT_HELP, CLIENT_OPTIONS, type Command, EXIT, textOf } from './command.ts';

/** Leaves as `process.rss_bytes 123`, one a line: made for grep and awk. */
function leaves(value: unknown, path: string): string[] {
  if (value === null) return [`${path} unknown`];
  if (typeof value !== 'object') return [`${path} ${value}`];
  return Object.entries(value).flatMap(([key, part]) =>
    leaves(part, path === '' ? key : `${path}.${key}`),
  );
}

export const command: Command = {
  summary: 'one live reading',
  usage: '[--target NAME] [--json]',
  options: { ...CLIENT_OPTIONS, target: { type: 'string' } },
  help: { target: 'a target, self or system', ...CLIENT_HELP },
  async run(args, io) {
    const query = queryOf({ target: textOf(args, 'target') });
    const client = createClient(args, io);
    const { unknown, ...reading } = await client.get<ReadingWire>(
      `/internal/memory/metrics${query}`,
    );
    if (args.values.json) {
      io.out(JSON.stringify({ ...reading, unknown }));
      return EXIT.fine;
    }
    io.out(leaves(reading, '').join('\n'));
    for (const { metric, reason } of unknown) io.err(`${metric} is unknown: ${reason}`);
    return EXIT.fine;
  },
};
