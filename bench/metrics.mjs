// CPU per scrape of the exposition writer and of prom-client, in the same run, on the same series.
// Every value changes between two scrapes; what prom-client spends on taking the new values is not
// counted, only what it spends on the page. Run after a build: node bench/metrics.mjs

import assert from 'node:assert/strict';
import { Gauge, Registry } from 'prom-client';
import { createExposition } from '../dist/http/exposition.js';

const FAMILIES = [
  'resident_memory_bytes',
  'proportional_memory_bytes',
  'swap_bytes',
  'heap_used_bytes',
  'heap_limit_bytes',
  'external_memory_bytes',
  'threads',
  'open_fds',
  'processes',
  'growth_bytes_per_hour',
].map((name) => ({ name: `memwarden_target_${name}`, help: `The ${name} of a target.` }));

const SIZES = [
  { series: 1_000, scrapes: 400, wanted: 8 },
  { series: 10_000, scrapes: 60, wanted: 5 },
];

const targetNames = (series) =>
  Array.from({ length: series / FAMILIES.length }, (_, index) => `api-${index}`);

// Multiples of a page up to 8 GB, as resident sizes are.
const fillRow = (row) => {
  for (let column = 0; column < row.length; column++) {
    row[column] = 4096 * Math.floor(Math.random() * 2 ** 21);
  }
};

const createOurs = (targets, source) => {
  const exposition = createExposition();
  FAMILIES.forEach(({ name, help }, familyIndex) => {
    const family = exposition.family({ name, help, type: 'gauge' });
    targets.forEach((target, targetIndex) => {
      family.sample({ target }, { source, column: familyIndex * targets.length + targetIndex });
    });
  });
  return { feed() {}, scrape: async () => Buffer.from(exposition.render()) };
};

const createPeer = (targets, source) => {
  const registry = new Registry();
  const gauges = FAMILIES.map(
    ({ name, help }) => new Gauge({ name, help, labelNames: ['target'], registers: [registry] }),
  );
  const feed = () => {
    gauges.forEach((gauge, familyIndex) => {
      targets.forEach((target, targetIndex) => {
        gauge.set({ target }, source.row[familyIndex * targets.length + targetIndex]);
      });
    });
  };
  return { feed, scrape: async () => Buffer.from(await registry.metrics()) };
};

const seriesOf = (page) =>
  page
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .sort();

const cpuMsPerScrape = async ({ feed, scrape }, source, scrapes) => {
  let cpuUs = 0;
  for (let round = -scrapes / 4; round < scrapes; round++) {
    fillRow(source.row);
    feed();
    const before = process.cpuUsage();
    await scrape();
    const { user, system } = process.cpuUsage(before);
    if (round >= 0) cpuUs += user + system;
  }
  return cpuUs / scrapes / 1_000;
};

for (const { series, scrapes, wanted } of SIZES) {
  const source = { row: new Float64Array(series) };
  const targets = targetNames(series);
  const ours = createOurs(targets, source);
  const peer = createPeer(targets, source);
  fillRow(source.row);
  peer.feed();
  assert.deepEqual(seriesOf(await ours.scrape()), seriesOf(await peer.scrape()));

  const oursMs = await cpuMsPerScrape(ours, source, scrapes);
  const peerMs = await cpuMsPerScrape(peer, source, scrapes);
  const ratio = peerMs / oursMs;
  console.log(
    `${series} series: memwarden ${oursMs.toFixed(3)} CPU ms, prom-client ${peerMs.toFixed(3)}: ` +
      `${ratio.toFixed(1)} x less (wanted: ${wanted})`,
  );
  if (ratio < wanted) process.exitCode = 1;
}
