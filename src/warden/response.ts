/**
 * What follows from a judgement: people are told, memory is cleaned up. Everything here happens off
 * the sample path, is isolated, and ends in the log.
 */
import { randomUUID } from 'node:crypto';
import { totalmem } from 'node:os';
import type { FastifyBaseLogger } from 'fastify';
import type { Collector } from '../collect/collector.ts';
import type { Reading } from '../collect/reading.ts';
import type { RuleEvent } from '../detect/rule.ts';
import type { RuleInstance } from '../detect/rule-board.ts';
import type { CleanupLevel, Policy, TargetPolicy } from '../policy/policy.ts';
import { messageOf } from '../respond/alert.ts';
import { type Cleanup, type CleanupRun, createCleanup } from '../respond/cleanup.ts';
import type { AlertMessage, Channel } from '../respond/notify/channel.ts';
import { builtInCleaners, heldBytes, targetCleaners } from './cleaners.ts';

const NOTIFY_TIMEOUT_MS = 10_000;

export interface Response {
  readonly cleanup: Cleanup<Reading>;
  /**
   * Takes the cleaners of a policy's targets; those of an earlier policy go.
   * @throws MEM_CONFLICT when the application has a cleaner of that name
   */
  setPolicy(policy: Policy, targets: readonly TargetPolicy[]): void;
  /** Tells the channels and starts what the rule's actions say. Returns the message. */
  act(instance: RuleInstance, event: RuleEvent, nowMs: number): AlertMessage;
  /** Starts the periodic cleanup when it is due. Call once a tick. */
  periodic(nowMs: number): void;
  close(): Promise<void>;
}

export function createResponse(options: {
  collector: Collector;
  channel: Channel;
  log: FastifyBaseLogger;
  startedAtMs: number;
  /** our own caches, by name */
  drops: ReadonlyMap<string, () => number | undefined>;
  onRun(run: CleanupRun<Reading>): void;
}): Response {
  const { collector, channel, log } = options;
  let policy: Policy;
  let unregister: (() => void)[] = [];
  let lastPeriodicMs = options.startedAtMs;
  const lastActedMs = new Map<string, number>();

  const cleanup = createCleanup<Reading>({
    nowMs: Date.now,
    measure: (target) => collector.read(target, Date.now()),
    rssBytes: ({ process }) => process?.rssBytes ?? Number.NaN,
    heldBytes,
    machineBytes: totalmem(),
    newId: randomUUID,
    onRun: options.onRun,
    log,
  });
  for (const cleaner of builtInCleaners(options.drops)) cleanup.register(cleaner);

  const start = (level: CleanupLevel, target: string | null, reason: string): void => {
    cleanup.run({ level, target, reason }).catch((err: unknown) => {
      log.warn({ err, cleanupLevel: level, target }, 'a cleanup was not run');
    });
  };

  /** A rule's cleanup, at most once per cooldown, target and level. */
  const startForRule = (level: CleanupLevel, instance: RuleInstance, nowMs: number): void => {
    const key = `${level} ${instance.target}`;
    const lastMs = lastActedMs.get(key) ?? Number.NEGATIVE_INFINITY;
    if (nowMs - lastMs < policy.autoCleanup.cooldownMs && nowMs >= lastMs) return;
    lastActedMs.set(key, nowMs);
    start(
      level,
      instance.target === 'system' ? null : instance.target,
      `rule ${instance.rule.name}`,
    );
  };

  return {
    cleanup,
    setPolicy(next, targets) {
      policy = next;
      for (const drop of unregister) drop();
      unregister = [];
      // One by one: when a name is taken, those registered so far are still known.
      for (const cleaner of targets.flatMap((target) => targetCleaners(target, collector))) {
        unregister.push(cleanup.register(cleaner));
      }
    },
    act(instance, event, nowMs) {
      const message = messageOf(instance, event, nowMs);
      const { actions } = instance.rule;
      if (actions.includes('notify')) {
        channel.send(message, AbortSignal.timeout(NOTIFY_TIMEOUT_MS)).catch((err: unknown) => {
          log.error({ err, channel: channel.name }, 'an alert could not be sent');
        });
      }
      if (event === 'resolved') return message;
      for (const action of actions) {
        const [verb, level] = action.split(':');
        if (verb === 'cleanup') startForRule(level as CleanupLevel, instance, nowMs);
      }
      return message;
    },
    periodic(nowMs) {
      // A stepped clock must not stop the round for as long as the step was.
      if (nowMs < lastPeriodicMs) lastPeriodicMs = nowMs;
      if (nowMs - lastPeriodicMs < policy.autoCleanup.intervalMs) return;
      lastPeriodicMs = nowMs;
      start(policy.autoCleanup.level, null, 'periodic');
    },
    close: () => cleanup.close(),
  };
}
