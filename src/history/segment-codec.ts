/**
 * A segment as bytes, for storage. The layout is in docs/formats/segment.md. The body repeats level,
 * rows, step and span of the meta it belongs to, so that a mix-up is found; absolute times are in the
 * meta alone, so that the clock can be stepped without rewriting bodies.
 */
import { SLACK_BYTES } from './bit-stream.ts';
import { allocateBlock, asBlock } from './block.ts';
import { crc32 } from './crc32.ts';
import {
  blockBytes,
  layOutSegment,
  type Segment,
  type SegmentMeta,
  type SegmentSizes,
} from './segment.ts';

const MAGIC = 0x4753_574d; // "MWSG" in a little-endian file
const VERSION = 2;
/** CRC-32 of ISO 3309. */
export type Checksum = (bytes: Uint8Array) => number;

const HEADER_BYTES = 48;
const CRC_BYTES = 4;

function idBytes(columns: number): number {
  return Math.ceil(columns / 2) * 8;
}

interface Header extends SegmentSizes {
  readonly level: number;
  readonly rows: number;
  readonly stepMs: number;
  readonly spanMs: number;
}

function writeHeader(view: DataView, header: Header): void {
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, VERSION, true);
  view.setUint16(6, header.level, true);
  view.setUint32(8, header.rows, true);
  view.setUint32(12, header.columns, true);
  view.setUint32(16, header.timeBytes, true);
  view.setUint32(20, header.streamBytes, true);
  view.setFloat64(24, header.stepMs, true);
  view.setFloat64(32, header.spanMs, true);
  view.setUint32(40, header.varying, true);
}

function readHeader(view: DataView): Header {
  return {
    level: view.getUint16(6, true),
    rows: view.getUint32(8, true),
    columns: view.getUint32(12, true),
    varying: view.getUint32(40, true),
    timeBytes: view.getUint32(16, true),
    streamBytes: view.getUint32(20, true),
    stepMs: view.getFloat64(24, true),
    spanMs: view.getFloat64(32, true),
  };
}

/** The body of a segment; its meta is stored beside it. Cost: one copy and a checksum, for which a native one may be given. */
export function encodeSegment(segment: Segment, checksum: Checksum = crc32): Uint8Array {
  const columns = segment.columnIds.length;
  const partsAt = HEADER_BYTES + idBytes(columns);
  const crcAt = partsAt + segment.block.length;
  const body = allocateBlock(crcAt + CRC_BYTES);
  const view = new DataView(body.buffer);
  writeHeader(view, {
    level: segment.level,
    rows: segment.rows,
    columns,
    varying: segment.varying.length,
    timeBytes: segment.timeBytes.length - SLACK_BYTES,
    streamBytes: segment.bytes.length - SLACK_BYTES,
    stepMs: segment.stepMs,
    spanMs: segment.lastMs - segment.firstMs,
  });
  new Uint32Array(body.buffer, HEADER_BYTES, columns).set(segment.columnIds);
  body.set(segment.block, partsAt);
  view.setUint32(crcAt, checksum(body.subarray(0, crcAt)), true);
  return body;
}

function refuse(id: number, reason: string): never {
  throw new RangeError(`Segment ${id} cannot be read: ${reason}`);
}

function checkBody(id: number, body: Uint8Array, checksum: Checksum): void {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < HEADER_BYTES + CRC_BYTES) refuse(id, `${body.length} bytes are too few`);
  if (view.getUint32(0, true) !== MAGIC) refuse(id, 'it does not begin like a segment');
  const version = view.getUint16(4, true);
  if (version !== VERSION) refuse(id, `version ${version} is not known, only ${VERSION}`);
  const crcAt = body.length - CRC_BYTES;
  if (view.getUint32(crcAt, true) !== checksum(body.subarray(0, crcAt))) {
    refuse(id, 'its checksum does not match');
  }
}

function checkMeta(meta: SegmentMeta, header: Header): void {
  const spanMs = meta.lastMs - meta.firstMs;
  const same =
    header.level === meta.level &&
    header.rows === meta.rows &&
    header.stepMs === meta.stepMs &&
    header.spanMs === spanMs;
  if (!same) refuse(meta.id, 'it belongs to another level, step, span or number of rows');
}

const rises = (values: Uint32Array): boolean =>
  values.every((value, index) => index === 0 || value > values[index - 1]!);

/** Ids and positions rise, streams lie one after the other and end where the bytes do. */
function checkParts(segment: Segment): void {
  const { columnIds, varying, offsets, bytes } = segment;
  const within = varying.length === 0 || varying.at(-1)! < columnIds.length;
  const whole = offsets[0] === 0 && offsets.at(-1) === bytes.length - SLACK_BYTES;
  if (!rises(columnIds) || !rises(varying) || !rises(offsets) || !within || !whole) {
    refuse(segment.id, 'its parts contradict each other');
  }
}

/**
 * The segment of a body. Throws RangeError, naming the segment and the reason, on anything that
 * `encodeSegment` did not write for this meta: torn, damaged, newer, or another segment's.
 * The segment lives in the body's own memory, which must not change any more, unless `asBlock` has
 * to copy it. Cost: the checksum.
 */
export function decodeSegment(
  meta: SegmentMeta,
  body: Uint8Array,
  checksum: Checksum = crc32,
): Segment {
  checkBody(meta.id, body, checksum);
  const whole = asBlock(body);
  const header = readHeader(new DataView(whole.buffer, whole.byteOffset, HEADER_BYTES));
  checkMeta(meta, header);
  const { columns } = header;
  const blockAt = HEADER_BYTES + idBytes(columns);
  const length = blockBytes(meta.level, header);
  if (blockAt + length + CRC_BYTES !== whole.length) {
    refuse(meta.id, 'its length is not that of its parts');
  }
  const columnIds = new Uint32Array(whole.buffer, whole.byteOffset + HEADER_BYTES, columns);
  const block = whole.subarray(blockAt, blockAt + length);
  const segment = layOutSegment(meta, columnIds, header, block);
  checkParts(segment);
  return segment;
}
