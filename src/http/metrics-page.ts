/**
 * The series of the targets on the Prometheus page. The page is laid out anew when targets, series
 * or policy change, and between such changes a scrape only formats numbers.
 */
import type { RuleInstance } from '../detect/rule-board.ts';
import type { Warden } from '../warden.ts';
import { createExposition, type Exposition, type Family, type FamilySpec } from './exposition.ts';

interface SeriesMetric {
  readonly series: string;
  readonly name: string;
  readonly help: string;
  readonly type?: 'counter';
  readonly scale?: number;
}

/** Columns of a target that are a metric as they stand. */
const TARGET_METRICS: readonly SeriesMetric[] = [
  { series: 'rss_bytes', name: 'resident_memory_bytes', help: 'RSS of the process tree' },
  { series: 'pss_bytes', name: 'proportional_memory_bytes', help: 'PSS of the process tree' },
  { series: 'swap_bytes', name: 'swap_bytes', help: 'Swapped out memory of the process tree' },
  { series: 'processes', name: 'processes', help: 'Processes in the tree' },
  { series: 'threads', name: 'threads', help: 'Threads of the tree' },
  { series: 'open_fds', name: 'open_fds', help: 'Open file descriptors of the tree' },
  {
    series: 'cpu_ms',
    name: 'cpu_seconds_total',
    help: 'User and system CPU time of the tree',
    type: 'counter',
    scale: 1 / 1000,
  },
  { series: 'heap_used_bytes', name: 'heap_used_bytes', help: 'V8 heap in use' },
  {
    series: 'external_bytes',
    name: 'external_memory_bytes',
    help: 'Memory outside the V8 heap that objects hold',
  },
];

const SYSTEM_METRICS: readonly SeriesMetric[] = [
  { series: 'total_bytes', name: 'memory_total_bytes', help: 'Host memory' },
  {
    series: 'available_bytes',
    name: 'memory_available_bytes',
    help: 'Host memory available without swapping',
  },
];

const PHASE_VALUE: Readonly<Record<RuleInstance['state']['phase'], number>> = {
  inactive: 0,
  resolved: 0,
  pending: 1,
  firing: 2,
  unknown: Number.NaN,
};

interface Page {
  readonly warden: Warden;
  readonly exposition: Exposition;
}

const gauge = (page: Page, name: string, help: string): Family =>
  page.exposition.family({ name, help, type: 'gauge' });

function columnMetrics(
  page: Page,
  prefix: string,
  metrics: readonly SeriesMetric[],
  owners: readonly { name: string; labels: Record<string, string> }[],
): void {
  for (const { series, name, help, type = 'gauge', scale = 1 } of metrics) {
    const spec: FamilySpec = { name: `${prefix}_${name}`, help, type };
    const family = page.exposition.family(spec);
    for (const owner of owners) {
      const column = page.warden.collector.series(owner.name).get(series);
      if (column !== undefined) family.sample(owner.labels, { source: page.warden, column, scale });
    }
  }
}

/** The smallest limit of each kind, and of what the heap may grow to. */
function limitMetrics(page: Page, names: readonly string[]): void {
  const { judge } = page.warden;
  const limits = gauge(page, 'memwarden_target_limit_bytes', 'Limits that hold for the target');
  const heap = gauge(page, 'memwarden_target_heap_limit_bytes', 'V8 heap limit');
  const growth = gauge(
    page,
    'memwarden_target_growth_bytes_per_hour',
    'Theil-Sen slope of RSS over the last hour',
  );
  const smallest = (target: string, kind: string): number => {
    const ofKind = judge.assessment(target)?.limit.limits.filter((limit) => limit.kind === kind);
    return ofKind?.length ? Math.min(...ofKind.map((limit) => limit.limitBytes)) : Number.NaN;
  };
  for (const target of names) {
    for (const kind of ['v8_heap', 'cgroup', 'budget', 'host']) {
      limits.sample({ target, kind }, () => smallest(target, kind));
    }
    heap.sample({ target }, () => smallest(target, 'v8_heap'));
    growth.sample({ target }, () => judge.lastTrend(target)?.slopeBytesPerHour ?? Number.NaN);
  }
}

function systemRatios(page: Page): void {
  const { warden } = page;
  const series = warden.collector.series('system');
  const at = (name: string): number => warden.row[series.get(name) ?? -1] ?? Number.NaN;
  gauge(page, 'memwarden_system_memory_used_ratio', 'Used share of host memory').sample(
    {},
    () => at('used_bytes') / at('total_bytes'),
  );
  const psi = gauge(
    page,
    'memwarden_system_memory_pressure_ratio',
    'Share of the last 10 s spent waiting for memory',
  );
  psi.sample({ kind: 'some' }, () => at('psi_some_avg10_x100') / 10_000);
  psi.sample({ kind: 'full' }, () => at('psi_full_avg10_x100') / 10_000);
}

function customMetrics(page: Page, names: readonly string[]): void {
  const family = gauge(page, 'memwarden_custom', 'Gauges of the application');
  for (const target of names) {
    for (const [series, column] of page.warden.collector.series(target)) {
      if (!series.startsWith('custom.')) continue;
      const name = series.slice('custom.'.length);
      family.sample({ target, name }, { source: page.warden, column });
    }
  }
}

function alertMetrics(page: Page): void {
  const family = gauge(page, 'memwarden_alert_state', '0 inactive, 1 pending, 2 firing');
  for (const instance of page.warden.judge.board.instances()) {
    const { rule, target } = instance;
    const labels = { rule: rule.name, target, severity: rule.severity };
    family.sample(labels, () => PHASE_VALUE[instance.state.phase]);
  }
}

function targetState(page: Page, names: readonly string[]): void {
  const { collector } = page.warden;
  const up = gauge(page, 'memwarden_target_up', 'Whether the target runs');
  const generation = gauge(
    page,
    'memwarden_target_generation',
    'How many identities the target has had',
  );
  for (const target of names) {
    up.sample({ target }, () => (collector.state(target)?.state === 'running' ? 1 : 0));
    generation.sample({ target }, () => collector.state(target)?.generation ?? Number.NaN);
  }
}

/** The page of the targets there are now. */
export function layOut(warden: Warden): Exposition {
  const page: Page = { warden, exposition: createExposition() };
  const names = warden.states().map((state) => state.name);
  const owners = names.map((name) => ({ name, labels: { target: name } }));
  columnMetrics(page, 'memwarden_target', TARGET_METRICS, owners);
  targetState(page, names);
  limitMetrics(page, names);
  customMetrics(page, names);
  columnMetrics(page, 'memwarden_system', SYSTEM_METRICS, [{ name: 'system', labels: {} }]);
  systemRatios(page);
  alertMetrics(page);
  return page.exposition;
}

/**
 * A renderer of the page. Nothing is laid out before the first scrape.
 * Cost per scrape: see bench/metrics.mjs; laying out 1,000 targets: some 50 ms and 9 MB, once.
 */
export function createMetricsPage(warden: Warden): { render(): string } {
  let laidOut: Exposition | undefined;
  let revision = Number.NaN;
  return {
    render() {
      if (laidOut === undefined || warden.revision !== revision) {
        revision = warden.revision;
        laidOut = layOut(warden);
      }
      return laidOut.render();
    },
  };
}
