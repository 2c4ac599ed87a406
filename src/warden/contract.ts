/** What the engine is to http/, cli/ and a host application. */
import type { EventEmitter } from 'node:events';
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../collect/clock.ts';
import type { CollectEvent, Collector } from '../collect/collector.ts';
import type { Reading, TargetState } from '../collect/reading.ts';
import type { SelfCost } from '../collect/self-cost.ts';
import type { Ticker } from '../collect/ticker.ts';
import type { Degradation } from '../detect/degrade.ts';
import type { RuleEvent } from '../detect/rule.ts';
import type { RuleInstance } from '../detect/rule-board.ts';
import type { History } from '../history/history.ts';
import type { Policy } from '../policy/policy.ts';
import type { Cleaner } from '../respond/cleaner.ts';
import type { Cleanup, CleanupRun } from '../respond/cleanup.ts';
import type { Archive } from './archive.ts';
import type { Judge } from './judge.ts';
import type { Services } from './services.ts';

export interface AlertEvent {
  readonly event: RuleEvent;
  readonly instance: RuleInstance;
  readonly timeMs: number;
  readonly message: string;
}

export interface WardenEvents {
  sample: [timeMs: number];
  alert: [AlertEvent];
  action: [CleanupRun<Reading>];
  target: [CollectEvent];
  policy: [Policy];
}

export interface WardenOptions {
  readonly policy: Policy;
  readonly log: FastifyBaseLogger;
  /** runs inside a host application: timers do not keep it alive */
  readonly embedded?: boolean;
  /** the machine's when not given; closed with the warden */
  readonly clock?: Clock;
}

export interface Warden {
  readonly policy: Policy;
  readonly events: EventEmitter<WardenEvents>;
  readonly collector: Collector;
  readonly history: History;
  readonly judge: Judge;
  readonly archive: Pick<Archive, 'persistent' | 'droppedSegments' | 'warnings'>;
  readonly services: Services;
  readonly cost: SelfCost;
  readonly ticker: Pick<Ticker, 'intervalMs' | 'overruns' | 'latenessMs'>;
  readonly degradation: Degradation;
  /** samples that failed by a defect of ours */
  readonly failures: number;
  /** the last row; replaced when it grows, so read it through here */
  readonly row: Float64Array;
  readonly startedAtMs: number;
  readonly lastSampleMs: number;
  /** grows with every change of targets, series or policy; views rebuild when it moved */
  readonly revision: number;
  readonly cleanup: Cleanup<Reading>;
  /** the target a request without one is about: the first of the policy, else ourselves */
  readonly defaultTarget: string;
  states(): readonly TargetState[];
  /** One live reading. @throws MEM_UNKNOWN_TARGET */
  read(name: string): Reading;
  /** no sample for five intervals, and at least 5 s; a stepped clock or a suspend does not count */
  stalled(): boolean;
  /**
   * Registers a cleaner of the application; returns its removal.
   * @throws MEM_UNKNOWN_TARGET; MEM_CONFLICT when the target has one of that name; MEM_BAD_REQUEST
   */
  addCleaner(cleaner: Cleaner): () => void;
  /**
   * A figure that is read at each tick, in the place of any gauge of that name; returns its removal.
   * @throws MEM_UNKNOWN_TARGET; MEM_BAD_REQUEST for a bad name or no function; MEM_TOO_MANY_SERIES
   */
  addGauge(target: string, name: string, read: () => number): () => void;
  /** Sets a gauge that was pushed. @throws MEM_CONFLICT for one that is registered; MEM_TOO_MANY_SERIES */
  pushGauge(target: string, name: string, value: number): void;
  /**
   * Takes a new policy; returns the changed keys that only a restart applies. When it throws, the
   * running policy stays.
   */
  reload(policy: Policy): string[];
  /** One sample and what follows from it, at once; the ticker does this once an interval. */
  tick(): void;
  start(): void;
  stop(): Promise<void>;
}
