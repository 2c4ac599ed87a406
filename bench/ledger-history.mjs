/**
 * What history on disk costs: opening, loading and writing a file that holds 24 h of 20 series.
 *
 *   npm run build && node bench/ledger-history.mjs
 *
 * Bodies are random, so nothing compresses. Exits 1 when a bound is missed.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../dist/ledger/database.js';
import { createSegmentStore } from '../dist/ledger/segment-store.js';
import { createStateStore } from '../dist/ledger/state-store.js';

const SEALED = { count: 144, bytes: 25_000, rows: 600 };
const HEADS = { count: 60, bytes: 700, rows: 10 };
const ROUNDS = 200;

const dataDir = mkdtempSync(join(tmpdir(), 'memwarden-bench-'));
const open = () => openDatabase({ dataDir, nowMs: Date.now() });
let nextId = 0;
const segment = ({ bytes, rows }, level) => {
  const firstMs = 1_700_000_000_000 + nextId * 1_000;
  const times = { stepMs: 0, firstMs, lastMs: firstMs + 999 };
  return { id: nextId++, level, rows, ...times, body: randomBytes(bytes) };
};
const many = (shape, level) => Array.from({ length: shape.count }, () => segment(shape, level));

/** Median and slowest of the rounds, in ms. */
function timed(work) {
  const took = Array.from({ length: ROUNDS }, (_, round) => {
    const beganMs = performance.now();
    work(round);
    return performance.now() - beganMs;
  }).sort((a, b) => a - b);
  return { median: took[ROUNDS >> 1], slowest: took[ROUNDS - 1] };
}

let missed = false;
function report(name, { median, slowest }, boundMs) {
  const verdict = median <= boundMs ? 'ok' : 'MISSED';
  missed ||= median > boundMs;
  console.log(
    `${name.padEnd(44)} ${median.toFixed(3).padStart(8)} ms median ${slowest.toFixed(3).padStart(8)} ms slowest   bound ${boundMs} ms  ${verdict}`,
  );
}

let database = open();
let store = createSegmentStore(database);
const keys = Array.from({ length: 20 }, (_, id) => ({ id, key: `api/series_${id}` }));
const heads = many(HEADS, 0);
store.apply({ keys, insert: [...many(SEALED, 1), ...heads], remove: [] });
database.close();
console.log(`file ${(statSync(join(dataDir, 'memwarden.db')).size / 1e6).toFixed(2)} MB`);

const reopen = () => {
  database.close();
  database = open();
};
report('open, with the check of every page', timed(reopen), 30);
store = createSegmentStore(database);
report(
  'load 144 sealed + 60 heads',
  timed(() => [store.keys(), ...store.segments()]),
  20,
);
const flush = () => store.apply({ keys: [], insert: [segment(HEADS, 0)], remove: [] });
report('apply a flush (one head of 700 B)', timed(flush), 1);
const merge = (round) => store.apply({ keys: [], insert: [segment(SEALED, 1)], remove: [round] });
report('apply a merge (25 KB in, an old one out)', timed(merge), 3);
report(
  'shift all',
  timed(() => store.shift(1)),
  100,
);
const states = new Map(Array.from({ length: 100 }, (_, i) => [`rule ${i}`, 'x'.repeat(250)]));
const stateStore = createStateStore(database);
report(
  'save 100 rule states of 250 B',
  timed(() => stateStore.save(states)),
  10,
);

database.close();
rmSync(dataDir, { recursive: true });
process.exitCode = missed ? 1 : 0;
