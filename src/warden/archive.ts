/**
 * History on disk: its segments and series names go to the ledger file through a bounded queue, and
 * come back at start. A body that does not decode is dropped, counted and named, never guessed.
 */
import { crc32 } from 'node:zlib';
import type { FastifyBaseLogger } from 'fastify';
import { codes } from '../errors.ts';
import { allocateBlock } from '../history/block.ts';
import type { History, HistoryChange } from '../history/history.ts';
import type { Level, Segment } from '../history/segment.ts';
import { decodeSegment, encodeSegment } from '../history/segment-codec.ts';
import { openDatabase } from '../ledger/database.ts';
import { createSegmentStore, type StoredKey, type StoredSegment } from '../ledger/segment-store.ts';
import { createStateStore } from '../ledger/state-store.ts';
import { createWriteQueue } from '../ledger/write-queue.ts';

/** Ten minutes of flushes at the default 10 s, before the oldest waiting write is given up. */
const WAITING_WRITES = 64;
/** A file of a day and a thousand targets is fifty times this: read at one go, it would stay in malloc. */
const READ_GARBAGE_BYTES = 2 ** 20;
/** What merges leave behind, before it is worth a full collection: one an hour or so with a thousand targets. */
const MERGE_GARBAGE_BYTES = 4 * 2 ** 20;
/** Columns merged between two looks at the clock: at most half a millisecond of work. */
const COLUMNS_PER_SLICE = 16;
/** For merging, per call; more while memory is over its limit. */
const MERGE_MS = 1;
const SHRINK_MS = 3;

export interface Archive {
  readonly persistent: boolean;
  /** rows that were torn or corrupt at start */
  readonly droppedSegments: number;
  /** what is wrong with the disk now, or was with the file at start */
  readonly warnings: readonly string[];
  /** What was saved under keys that begin with `prefix`, by the rest of the key. One that is no JSON is left out and told. */
  recall(prefix: string): Map<string, unknown>;
  /** Reads everything back into `history`. Call once, before the first append. */
  restore(history: History): void;
  /** Turns pending rows into a segment and writes all that waits. About 1 ms for 20 series. */
  flush(history: History): void;
  /** A millisecond of merging, three while memory is over its limit; at most one segment more. */
  compact(history: History): void;
  /** The wall clock was stepped: what is in the file moves before anything else is written to it. */
  shift(deltaMs: number): void;
  /** Queued; written with the next flush or `writeNow`. A value becomes JSON, null takes it away. */
  save(key: string, value: unknown): void;
  writeNow(): void;
  /** May be called twice. @throws MEM_NOT_WRITTEN, with everything closed, when what waited could not be written */
  close(): void;
}

const toStored = (segment: Segment): StoredSegment => ({
  id: segment.id,
  level: segment.level,
  stepMs: segment.stepMs,
  firstMs: segment.firstMs,
  lastMs: segment.lastMs,
  rows: segment.rows,
  body: encodeSegment(segment, crc32),
});

const movedBy = (segment: StoredSegment, deltaMs: number): StoredSegment => ({
  ...segment,
  firstMs: segment.firstMs + deltaMs,
  lastMs: segment.lastMs + deltaMs,
});

/** Opens the ledger file in `dataDir`. @throws MEM_DATABASE_NEWER, MEM_CONFLICT when it is held by another memwarden */
export function openArchive(options: {
  dataDir: string;
  nowMs: number;
  log: FastifyBaseLogger;
  /** called when reading back or merging has left some MB of garbage, which in a merge is old */
  collectGarbage?(age: 'young' | 'old'): void;
}): Archive {
  const { log, collectGarbage } = options;
  const database = openDatabase(options);
  const { warnings } = database;
  const segments = createSegmentStore(database);
  const states = createStateStore(database);
  for (const warning of warnings) log.warn(warning);
  let droppedSegments = 0;
  let garbageBytes = 0;
  let closed = false;
  // How far the clock was stepped since the start, and how much of that the file knows of. Not a
  // queued write, which may be given up: the times of all that is in the file would then be off.
  let steppedMs = 0;
  let shiftedMs = 0;
  const queue = createWriteQueue({
    bound: WAITING_WRITES,
    first() {
      if (shiftedMs === steppedMs) return;
      segments.shift(steppedMs - shiftedMs);
      shiftedMs = steppedMs;
    },
    onChange(problem, dropped) {
      if (problem === null) log.info({ dropped }, 'history is being written again');
      else
        log.error({ problem }, 'history cannot be written; it is kept in memory and tried again');
    },
  });

  // The oldest writes may be given up, but no state is, nor a name, without which nothing that is
  // written later could be read: these wait here until they are in the file.
  const unnamed: StoredKey[] = [];
  const unsaved = new Map<string, string | null>();
  const saveUnsaved = (): void => {
    states.save(unsaved);
    unsaved.clear();
  };
  const drain = (): void => {
    queue.drain();
    if (unsaved.size === 0 || queue.problem !== null) return;
    queue.push(saveUnsaved);
    queue.drain();
  };

  const write = (change: HistoryChange | null): void => {
    if (change === null || !database.persistent) return;
    const insert = change.insert.map(toStored);
    unnamed.push(...change.keys);
    const takenAtMs = steppedMs;
    queue.push(() => {
      const moved = insert.map((segment) => movedBy(segment, steppedMs - takenAtMs));
      segments.apply({ keys: unnamed, insert: moved, remove: change.remove });
      unnamed.length = 0;
    });
  };

  const discarded = (bytes: number): void => {
    garbageBytes += bytes;
    if (garbageBytes < MERGE_GARBAGE_BYTES) return;
    collectGarbage?.('old');
    garbageBytes = 0;
  };

  const decode = (stored: StoredSegment): Segment[] => {
    try {
      return [decodeSegment({ ...stored, level: stored.level as Level }, stored.body, crc32)];
    } catch (error) {
      droppedSegments++;
      log.warn({ err: error, segment: stored.id }, 'a history row is damaged and was left out');
      queue.push(() => segments.discard(stored.id));
      return [];
    }
  };

  const parse = (key: string, value: string): unknown => {
    try {
      return JSON.parse(value);
    } catch (err) {
      log.warn({ err, key }, 'a remembered state is damaged and was left out');
      return undefined;
    }
  };

  return {
    persistent: database.persistent,
    get droppedSegments() {
      return droppedSegments;
    },
    get warnings() {
      const { problem, dropped } = queue;
      return [
        ...warnings,
        ...(problem === null ? [] : [`disk: ${problem}`]),
        ...(dropped === 0
          ? []
          : [`${dropped} writes of history were given up; what was in them is in memory only`]),
        ...(droppedSegments === 0
          ? []
          : [
              `${droppedSegments} stretches of history were damaged and left out; the log names them`,
            ]),
      ];
    },
    restore(history) {
      const restored: Segment[] = [];
      let readBytes = 0;
      for (const stored of segments.segments(allocateBlock)) {
        restored.push(...decode(stored));
        readBytes += stored.body.length;
        if (readBytes < READ_GARBAGE_BYTES) continue;
        collectGarbage?.('young');
        readBytes = 0;
      }
      history.restore(segments.keys(), restored);
    },
    flush(history) {
      write(history.flush());
      drain();
    },
    compact(history) {
      const deadlineMs = performance.now() + (history.shrinking ? SHRINK_MS : MERGE_MS);
      while (!history.settled) {
        const before = history.bytes;
        const change = history.compact(COLUMNS_PER_SLICE);
        if (change !== null) {
          write(change);
          discarded(before - history.bytes);
          break;
        }
        if (performance.now() >= deadlineMs) break;
      }
    },
    shift(deltaMs) {
      if (database.persistent) steppedMs += deltaMs;
    },
    recall(prefix) {
      const recalled = new Map<string, unknown>();
      for (const [key, text] of states.load()) {
        const value = key.startsWith(prefix) ? parse(key, text) : undefined;
        if (value !== undefined) recalled.set(key.slice(prefix.length), value);
      }
      return recalled;
    },
    save(key, value) {
      if (database.persistent) unsaved.set(key, value === null ? null : JSON.stringify(value));
    },
    writeNow: drain,
    close() {
      if (closed) return;
      closed = true;
      drain();
      database.close();
      const { problem, length } = queue;
      if (problem === null) return;
      throw new codes.MEM_NOT_WRITTEN(
        `What was sampled last is lost: ${length} writes of history could not be made (${problem}).`,
      );
    },
  };
}
