import type { Reading } from '../collect/reading.ts';
import { codes } from '../errors.ts';
import type { CleanupRun } from '../respond/cleanup.ts';
import * as Type from '../typebox.ts';
import { finite, readingView } from './reading-view.ts';
import { type CleanupRunWire, LevelEnum } from './schemas.ts';
import { problems, type RouteScope, type TypedApp } from './scope.ts';

const CleanupBody = Type.Unsafe<{
  level?: 'gentle' | 'aggressive' | 'emergency';
  target?: string;
  dry_run?: boolean;
} | null>({
  ...Type.Object(
    {
      level: Type.Optional(LevelEnum),
      target: Type.Optional(Type.String({ maxLength: 64 })),
      dry_run: Type.Optional(Type.Boolean()),
    },
    { additionalProperties: false },
  ),
  type: ['object', 'null'],
});

/** A run on the wire. */
export function cleanupView(run: CleanupRun<Reading>): CleanupRunWire {
  return {
    id: run.id,
    level: run.level,
    dry_run: run.dryRun,
    reason: run.reason,
    started_at: new Date(run.startedAtMs).toISOString(),
    duration_ms: Math.round(run.durationMs * 10) / 10,
    results: run.results.map((row) => ({
      cleaner: row.cleaner,
      target: row.target,
      outcome: row.outcome,
      freed_bytes: row.freedBytes,
      items: row.items,
      duration_ms: Math.round(row.durationMs * 10) / 10,
      error: row.error,
      plan: row.plan ?? null,
    })),
    before: run.before && readingView(run.before),
    after: run.after && readingView(run.after),
    freed_mb:
      run.freedBytes === null ? null : finite(Math.round((run.freedBytes / 2 ** 20) * 100) / 100),
  };
}

/** POST …/cleanup: one run; concurrent calls join it. A failing cleaner is a row, not an error. */
export async function cleanupRoutes(
  app: TypedApp,
  { warden, path, alias }: RouteScope & { path: string; alias: boolean },
): Promise<void> {
  app.post(
    path,
    {
      schema: {
        operationId: alias ? 'cleanupAlias' : 'cleanup',
        summary: 'Free what can be freed',
        tags: ['actions'],
        // What belongs in the body must not be lost in the URL: dry_run there would act in earnest.
        querystring: Type.Object({}, { additionalProperties: false }),
        body: CleanupBody,
        response: { 200: Type.Ref('MemwardenCleanupRun'), ...problems },
      },
    },
    async (request) => {
      const { level = 'emergency', target, dry_run: dryRun = false } = request.body ?? {};
      if (target === 'system') {
        throw new codes.MEM_BAD_REQUEST(
          'The host itself has nothing to clean. Leave target out to clean every target.',
        );
      }
      if (target !== undefined) warden.read(target);
      const reason = `asked over HTTP by ${request.ip}`;
      return cleanupView(await warden.cleanup.run({ level, target, dryRun, reason }));
    },
  );
}
