/**
 * The engine, and the only place that knows all the rooms. A sample travels
 * collect → history → detect → respond → ledger; this file is that sentence.
 *
 * The tick is synchronous and short. What is slow (detail readings, flushing, merging, cleaning,
 * notifying) happens after it, off the sample path.
 */
import { EventEmitter } from 'node:events';
import { createClock } from './collect/clock.ts';
import { type CollectEvent, createCollector } from './collect/collector.ts';
import type { RuleEvent, RuleState } from './detect/rule.ts';
import type { RuleInstance } from './detect/rule-board.ts';
import { codes } from './errors.ts';
import { collectGarbage } from './footprint.ts';
import { createHistory } from './history/history.ts';
import { keysNeedingRestart } from './policy/needs-restart.ts';
import { OURSELVES } from './policy/ourselves.ts';
import type { Policy, TargetPolicy } from './policy/policy.ts';
import { createLogChannel } from './respond/notify/log.ts';
import { openArchive } from './warden/archive.ts';
import { closeInOrder } from './warden/close.ts';
import { createConduct } from './warden/conduct.ts';
import type { Warden, WardenEvents, WardenOptions } from './warden/contract.ts';
import { requireCleaner } from './warden/from-javascript.ts';
import { addGauge, pushGauge } from './warden/gauges.ts';
import { createJudge } from './warden/judge.ts';
import { createResponse, type Response } from './warden/response.ts';
import { createServices } from './warden/services.ts';
import { createTimeline } from './warden/timeline.ts';

export type { AlertEvent, Warden, WardenOptions } from './warden/contract.ts';

const DETAIL_BUDGET_MS = 4;
const RULE_PREFIX = 'rule:';

/** A wider row with the same values; the rest is unknown, with room for a few more columns. */
function widened(row: Float64Array, width: number): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(width + 32).fill(Number.NaN);
  wider.set(row);
  return wider;
}

/** Builds the rooms and restores what the file remembers; samples nothing before `start`. */
export function createWarden(options: WardenOptions): Warden {
  const { log, embedded = false, clock = createClock() } = options;
  let policy = options.policy;
  const startedAtMs = clock.now().wallMs;
  const events = new EventEmitter<WardenEvents>();
  const archive = openArchive({
    dataDir: policy.dataDir,
    nowMs: startedAtMs,
    log,
    // when to collect is the host's to say
    collectGarbage: embedded ? undefined : collectGarbage,
  });
  const history = createHistory({
    retentionMs: policy.history.retentionMs,
    maxBytes: policy.history.maxMemoryBytes,
  });
  archive.restore(history);

  let row = new Float64Array(64);
  let revision = 0;
  let judgedRevision = 0;
  let watched: readonly TargetPolicy[] = [];
  let tick = 0;
  let lastSampleMs = Number.NaN;
  let lastFlushMs = startedAtMs;
  let failures = 0;
  let afterTick: NodeJS.Immediate | undefined;

  const collector = createCollector({
    targets: policy.targets,
    detailIntervalMs: policy.sampling.detailIntervalMs,
    column(key) {
      revision++;
      return history.column(key);
    },
    onEvent(event) {
      revision++;
      log.info(event, `target ${event.target} ${event.kind}`);
      events.emit('target', event);
    },
  });
  const judge = createJudge({ collector, history });
  const timeline = createTimeline({ clock, history, archive, board: judge.board, log });
  const conduct = createConduct({
    sampling: policy.sampling,
    embedded,
    historyBytes: () => history.bytes,
    onHalve: () => limitHistory(),
    onTick: () => beat(),
    log,
  });
  const response: Response = createResponse({
    collector,
    channel: createLogChannel(log),
    log,
    startedAtMs,
    drops: new Map([['trends', () => judge.forgetTrends()]]),
    onRun: (run) => events.emit('action', run),
  });
  const services = createServices({ archive, collector, onChange: () => applyTargets() });
  const onTarget = (event: CollectEvent): void => services.seen(event);
  events.on('target', onTarget);

  const notify = (instance: RuleInstance, event: RuleEvent): void => {
    const timeMs = Number.isNaN(lastSampleMs) ? startedAtMs : lastSampleMs;
    const message = response.act(instance, event, timeMs);
    events.emit('alert', { event, instance, timeMs, message: message.text });
  };

  function limitHistory(): void {
    history.setLimits({
      retentionMs: policy.history.retentionMs,
      maxBytes: policy.history.maxMemoryBytes / 2 ** conduct.degradation.halvings,
    });
  }

  function applyTargets(): void {
    const named = [...policy.targets, ...services.targets(policy)];
    const targets = named.some(({ name }) => name === 'self') ? named : [...named, OURSELVES];
    collector.setTargets(targets);
    response.setPolicy(policy, targets);
    watched = targets;
    revision++;
    configureJudge();
  }

  /** Once more whenever a target came or went, or has a series that it had not. */
  function configureJudge(): void {
    const nowMs = Number.isNaN(lastSampleMs) ? startedAtMs : lastSampleMs;
    for (const ended of judge.configure(policy, watched, nowMs)) notify(ended, 'resolved');
    judgedRevision = revision;
  }

  function applyPolicy(next: Policy): void {
    policy = next;
    limitHistory();
    conduct.setPolicy(next.sampling);
    applyTargets();
  }

  const sample = (): void => {
    const beganMs = performance.now();
    const nowMs = timeline.next(conduct.ticker.intervalMs);
    row.fill(Number.NaN);
    collector.tick(row, nowMs);
    // The first sample brings the limits that percentages are taken of.
    if (judgedRevision !== revision || Number.isNaN(lastSampleMs)) configureJudge();
    if (row.length < history.width) row = widened(row, history.width);
    judge.assess(row);
    history.append(nowMs, row);
    lastSampleMs = nowMs;
    judge.evaluate(row, { nowMs, tick: tick++ }, notify);
    events.emit('sample', nowMs);
    const endedMs = performance.now();
    conduct.account(endedMs - beganMs, endedMs);
  };

  /** What need not be on the sample path: detail readings, disk, merging, our own conduct. */
  const settle = (): void => {
    const nowMs = lastSampleMs;
    collector.detail(nowMs, DETAIL_BUDGET_MS / conduct.factor);
    rememberRules();
    if (nowMs - lastFlushMs >= policy.history.flushMs || nowMs < lastFlushMs) flush(nowMs);
    archive.compact(history);
    judge.refresh(nowMs);
    response.periodic(nowMs);
  };

  /** A defect costs a sample, not the service; it is logged and shown. */
  const guarded = (work: () => void) => (): void => {
    try {
      work();
    } catch (err) {
      failures++;
      log.error({ err }, 'a sample failed');
    }
  };

  /** At once, not with the next flush: who was told must not be told again after a crash. */
  const rememberRules = (): void => {
    const changed = judge.board.takeChanged();
    if (changed.size === 0) return;
    for (const [key, state] of changed) archive.save(RULE_PREFIX + key, state);
    archive.writeNow();
  };

  const flush = (nowMs: number): void => {
    lastFlushMs = nowMs;
    rememberRules();
    archive.flush(history);
  };

  const stopSampling = (): void => {
    conduct.ticker.stop();
    clearImmediate(afterTick);
    events.off('target', onTarget);
  };

  const beat = (): void => {
    afterTick = setImmediate(guarded(settle));
    guarded(sample)();
  };

  judge.board.restore(archive.recall(RULE_PREFIX) as Map<string, RuleState>);
  services.restore();
  applyTargets();

  return {
    events,
    collector,
    history,
    judge,
    archive,
    services,
    cost: conduct.cost,
    ticker: conduct.ticker,
    startedAtMs,
    cleanup: response.cleanup,
    get policy() {
      return policy;
    },
    get failures() {
      return failures;
    },
    get degradation() {
      return conduct.degradation;
    },
    get row() {
      return row;
    },
    get lastSampleMs() {
      return lastSampleMs;
    },
    get revision() {
      return revision;
    },
    get defaultTarget() {
      return policy.targets[0]?.name ?? 'self';
    },
    states: () => collector.states(),
    read(name) {
      if (name !== 'system' && collector.state(name) === undefined) {
        const known = collector.states().map((state) => state.name);
        throw new codes.MEM_UNKNOWN_TARGET(
          `There is no target "${name}". Known: ${[...known, 'system'].join(', ')}.`,
        );
      }
      return collector.read(name, clock.now().wallMs);
    },
    stalled: conduct.stalled,
    addCleaner(cleaner) {
      requireCleaner(collector, cleaner);
      return response.cleanup.register(cleaner);
    },
    addGauge: (target, name, read) => addGauge(collector, target, name, read),
    pushGauge: (target, name, value) =>
      pushGauge(collector, { target, name, value, timeMs: clock.now().wallMs }),
    reload(next) {
      const before = policy;
      try {
        applyPolicy(next);
      } catch (error) {
        applyPolicy(before);
        throw error;
      }
      events.emit('policy', next);
      return keysNeedingRestart(before, next);
    },
    tick() {
      sample();
      settle();
    },
    start() {
      sample();
      settle();
      conduct.ticker.start();
    },
    stop: () =>
      closeInOrder([
        ['sampling', stopSampling],
        // Early, since a cleaner that hangs may take all the time there is for an orderly end.
        ['history', () => flush(lastSampleMs)],
        ['cleanups', response.close],
        ['the data file', archive.close],
        ['what is watched', collector.close],
        ['the clock', clock.close],
      ]),
  };
}
