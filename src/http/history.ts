import { codes } from '../errors.ts';
import * as Type from '../typebox.ts';
import { finite } from './reading-view.ts';
import { problems, type RouteScope, type TypedApp } from './scope.ts';
import { parseTime } from './time.ts';

const MAX_SERIES = 50;
const STATS = ['min', 'max', 'avg'] as const;
type Stat = (typeof STATS)[number];

const HistoryQuery = Type.Object(
  {
    target: Type.Optional(Type.String({ maxLength: 64 })),
    series: Type.Optional(
      Type.String({
        maxLength: 4096,
        description: `Names, comma separated, at most ${MAX_SERIES}; default: the first ${MAX_SERIES}`,
      }),
    ),
    from: Type.Optional(
      Type.String({
        maxLength: 40,
        description: 'RFC 3339, or a span back from now such as 10m; default 1h',
      }),
    ),
    to: Type.Optional(
      Type.String({ maxLength: 40, description: 'RFC 3339 or a span; default now' }),
    ),
    points: Type.Optional(Type.Integer({ minimum: 2, maximum: 5000, default: 500 })),
    stat: Type.Optional(
      Type.String({
        pattern: '^(min|max|avg)(,(min|max|avg)){0,2}$',
        description: 'Equal time buckets with these statistics in place of LTTB',
      }),
    ),
  },
  { additionalProperties: false },
);

const column = (values: Float64Array | undefined): (number | null)[] =>
  Array.from(values ?? [], finite);

/** GET /internal/memory/history: columns, thinned to `points`. */
export async function historyRoutes(app: TypedApp, { warden }: RouteScope): Promise<void> {
  const { history } = warden;

  /** Names asked for (the first of the target's when none are), with their columns. */
  const choose = (target: string, asked: string | undefined): { name: string; id: number }[] => {
    const prefix = `${target}/`;
    const all = history.keys().filter((key) => key.startsWith(prefix));
    const names = asked
      ? asked.split(',')
      : all.slice(0, MAX_SERIES).map((key) => key.slice(prefix.length));
    if (names.length > MAX_SERIES) {
      throw new codes.MEM_BAD_REQUEST(`series: expected at most ${MAX_SERIES} names.`);
    }
    return names.map((name) => {
      const id = history.find(prefix + name);
      if (id !== undefined) return { name, id };
      const known = all.map((key) => key.slice(prefix.length)).slice(0, 40);
      throw new codes.MEM_UNKNOWN_SERIES(
        `${target} has no series "${name.slice(0, 80)}". It has: ${known.join(', ')}.`,
      );
    });
  };

  app.get(
    '/history',
    {
      schema: {
        operationId: 'getHistory',
        summary: 'Columns of history, as far back as 24 h',
        tags: ['memory'],
        querystring: HistoryQuery,
        response: { 200: Type.Ref('MemwardenHistory'), ...problems },
      },
    },
    async (request) => {
      const { query } = request;
      const target = query.target ?? warden.defaultTarget;
      warden.read(target);
      const nowMs = Date.now();
      const toMs = parseTime(query.to, nowMs, nowMs, 'to');
      const fromMs = parseTime(query.from, nowMs, toMs - 3_600_000, 'from');
      if (fromMs >= toMs) throw new codes.MEM_BAD_REQUEST('from: expected a time before `to`.');
      const chosen = choose(target, query.series);
      const ids = chosen.map(({ id }) => id);
      const window = { fromMs, toMs, points: query.points ?? 500 };
      const stats = query.stat?.split(',') as Stat[] | undefined;

      const answer = (
        t: Float64Array,
        of: (index: number) => (number | null)[] | Record<string, (number | null)[]>,
      ) => ({
        target,
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        t: Array.from(t, (ms) => new Date(ms).toISOString()),
        series: Object.fromEntries(chosen.map(({ name }, index) => [name, of(index)])),
      });

      if (stats === undefined) {
        const { t, series } = history.select(ids, window);
        return answer(t, (index) => column(series[index]));
      }
      const { t, min, max, mean } = history.buckets(ids, window);
      const byStat = { min, max, avg: mean };
      return answer(t, (index) =>
        Object.fromEntries(stats.map((stat) => [stat, column(byStat[stat][index])])),
      );
    },
  );
}
