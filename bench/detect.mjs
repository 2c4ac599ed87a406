// What the detectors cost in CPU, on this machine, and what they may. Run after `npm run build`:
// node bench/detect.mjs
import { initialRuleState, stepRule } from '../dist/detect/rule.js';
import { trend } from '../dist/detect/trend.js';

const HOUR_MS = 3_600_000;
const rule = {
  name: 'High Process Memory',
  metricKey: 'process_memory_mb',
  comparison: 'greater_than',
  threshold: 1024,
  clearValue: 1024,
  windowMs: 600_000,
  forMs: 0,
  keepFiringForMs: 0,
  cooldownMs: 900_000,
  severity: 'critical',
  actions: ['notify'],
  target: null,
  times: null,
  withinMs: null,
};

let missed = false;
console.log('what                                     CPU      at most');
for (const [points, mostUs] of [
  [120, 1_000],
  [200, 2_000],
  [3_600, 10_000],
  [86_400, 20_000],
]) {
  const t = Float64Array.from({ length: points }, (_, i) => (i * HOUR_MS) / points);
  const v = t.map((_, i) => 5e8 + i * 1000 + ((i * 7919) % 1e6));
  report(`trend of ${points} points`, { runs: 200, mostUs, run: () => trend(t, v) });
}
report('stepRule, nothing changes', { runs: 2e6, mostUs: 0.1, run: stepper(100) });
report('stepRule, firing', { runs: 2e6, mostUs: 3, run: stepper(2000) });
process.exit(missed ? 1 : 0);

function stepper(base) {
  let state = initialRuleState(0);
  let nowMs = 0;
  return () => {
    nowMs += 1000;
    state = stepRule(rule, state, base + (nowMs % 7), nowMs).state;
  };
}

function report(what, { runs, mostUs, run }) {
  for (let i = 0; i < runs / 10; i++) run();
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) run();
  const used = process.cpuUsage(before);
  const us = (used.user + used.system) / runs;
  missed ||= us > mostUs;
  const verdict = us > mostUs ? '  MISSED' : '';
  console.log(what.padEnd(32), inWords(us).padStart(11), inWords(mostUs).padStart(12) + verdict);
}

function inWords(us) {
  return us < 1 ? `${(us * 1000).toFixed(0)} ns` : `${us.toFixed(0)} µs`;
}
