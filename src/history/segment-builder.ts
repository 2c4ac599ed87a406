import { allocateBlock } from './block.ts';
import type { Frame } from './frame.ts';
import { equalIds, layOutSegment, type Segment, type SegmentMeta, streamsAt } from './segment.ts';
import type { Summary } from './summary.ts';
import { encodeTimes, maxTimeBytes } from './time-codec.ts';
import { encodeValues, maxEncodedBytes } from './xor-codec.ts';

/** A segment in the making: columns are added in ascending order of their ids, then it is finished. */
export interface SegmentBuilder {
  /** One column: a stream, or three in the order min, mean, max. Skipped when nothing is known. */
  add(id: number, streams: readonly Frame[], summary: Readonly<Summary>): void;
  /** One column of the same bits in every row of every stream, over `count` samples. */
  addConstant(id: number, value: number, count: number): void;
  finish(): Segment;
  /** memory in use until finished */
  readonly bytes: number;
}

/** Memory that builders may use one after the other: a flush every few seconds needs the same again. */
export interface Workspace {
  tables: Uint8Array<ArrayBuffer>;
  scratch: Uint8Array<ArrayBuffer>;
}

export const createWorkspace = (): Workspace => ({
  tables: new Uint8Array(0),
  scratch: new Uint8Array(0),
});

export interface BuilderOptions {
  readonly meta: SegmentMeta;
  /** of the rows; the first is `meta.firstMs` */
  readonly times: Float64Array;
  /** most columns that will be added */
  readonly columns: number;
  /** ids of a neighbour, which the segment shares if they are its own */
  readonly likelyIds?: Uint32Array;
  /** likely size of all streams; untouched, it is address space and not memory */
  readonly likelyBytes?: number;
  /** its own when not given */
  readonly workspace?: Workspace;
}

/** Streams there is room for at first, if they are as long as can be. */
const FIRST_STREAMS = 64;

/** The same bits in every row of every stream. */
function isConstant(streams: readonly Frame[], rows: number): boolean {
  const low = streams[0]!.words[0];
  const high = streams[0]!.words[1];
  for (const { words } of streams) {
    for (let word = 0; word < 2 * rows; word += 2) {
      if (words[word] !== low || words[word + 1] !== high) return false;
    }
  }
  return true;
}

/** Fills `to`. A loop: for the few columns of a flush, a view to copy from costs more than the copy. */
function copy<T extends Float64Array | Uint32Array>(from: T, to: T): void {
  for (let at = 0; at < to.length; at++) to[at] = from[at]!;
}

/** Encodes columns one by one into a growing buffer. Cost: one pass a stream, one copy at the end. */
export function createSegmentBuilder(options: BuilderOptions): SegmentBuilder {
  const {
    meta,
    times,
    columns,
    likelyIds,
    likelyBytes = 0,
    workspace = createWorkspace(),
  } = options;
  const { rows } = meta;
  const streamCount = streamsAt(meta.level);
  const roomBytes = maxEncodedBytes(rows);
  // One buffer for all tables: allocating one costs more than the rest of a small segment.
  const tableBytes = columns * 36 + (columns * streamCount + 1) * 4;
  if (workspace.tables.length < tableBytes) workspace.tables = allocateBlock(tableBytes);
  const tables = workspace.tables.buffer;
  const min = new Float64Array(tables, 0, columns);
  const max = new Float64Array(tables, columns * 8, columns);
  const sum = new Float64Array(tables, columns * 16, columns);
  const count = new Uint32Array(tables, columns * 24, columns);
  const columnIds = new Uint32Array(tables, columns * 28, columns);
  const varying = new Uint32Array(tables, columns * 32, columns);
  const offsets = new Uint32Array(tables, columns * 36, columns * streamCount + 1);
  offsets[0] = 0;
  let { scratch } = workspace;
  let used = 0;
  let added = 0;
  let changing = 0;
  makeRoom(likelyBytes + roomBytes * Math.min(columns * streamCount + 1, FIRST_STREAMS));

  function makeRoom(bytes: number): void {
    if (used + bytes <= scratch.length) return;
    const grown = allocateBlock(Math.ceil(scratch.length * 1.5) + bytes);
    grown.set(scratch.subarray(0, used));
    scratch = grown;
    workspace.scratch = grown;
  }

  function addConstant(id: number, value: number, samples: number): void {
    columnIds[added] = id;
    min[added] = value;
    count[added] = samples;
    added += 1;
  }

  return {
    add(id, streams, summary) {
      if (summary.count === 0) return;
      if (!isConstant(streams, rows)) {
        for (let stream = 0; stream < streamCount; stream++) {
          makeRoom(roomBytes);
          used += encodeValues(streams[stream]!.words, rows, scratch, used);
          offsets[changing * streamCount + stream + 1] = used;
        }
        max[changing] = summary.max;
        sum[changing] = summary.sum;
        varying[changing] = added;
        changing += 1;
      }
      addConstant(id, summary.min, summary.count);
    },

    addConstant,

    finish() {
      makeRoom(maxTimeBytes(rows));
      const timeBytes = encodeTimes(times, scratch, used);
      const written = columnIds.subarray(0, added);
      const ids = likelyIds && equalIds(likelyIds, written) ? likelyIds : written.slice();
      const sizes = { columns: added, varying: changing, timeBytes, streamBytes: used };
      const segment = layOutSegment(meta, ids, sizes);
      copy(min, segment.min);
      copy(max, segment.max);
      copy(sum, segment.sum);
      copy(count, segment.count);
      copy(varying, segment.varying);
      copy(offsets, segment.offsets);
      segment.timeBytes.set(scratch.subarray(used, used + timeBytes));
      segment.bytes.set(scratch.subarray(0, used));
      return segment;
    },

    get bytes() {
      return used + workspace.tables.length;
    },
  };
}
