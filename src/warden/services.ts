/**
 * Services that registered themselves over HTTP. Acknowledged means kept: each registration is in
 * the ledger file (or, while that cannot be written, waits for it), with the identity of its
 * process, and comes back at start if that process is still the same one.
 */
import type { CollectEvent, Collector } from '../collect/collector.ts';
import { codes } from '../errors.ts';
import type { Policy, TargetPolicy } from '../policy/policy.ts';
import { type Registration, registrationTarget } from '../policy/service.ts';
import type { Archive } from './archive.ts';

const MAX_SERVICES = 1_000;
const PREFIX = 'service:';

export interface Services {
  all(): readonly Registration[];
  has(name: string): boolean;
  /**
   * Adds or replaces; when it throws, nothing has changed.
   * @throws MEM_CONFLICT for a name the policy owns, or past 1,000 services; MEM_TOO_MANY_SERIES
   */
  put(registration: Registration, policy: Policy): void;
  /** @throws MEM_UNKNOWN_TARGET */
  remove(name: string): void;
  /** The targets they become. A name that a later policy took is the policy's. */
  targets(policy: Policy): TargetPolicy[];
  /** Hears of every target that was found: a service that was registered too early is now known. */
  seen(event: Pick<CollectEvent, 'target' | 'identity'>): void;
  /** Reads the registrations back. Those whose process has gone or changed are forgotten. */
  restore(): void;
}

export function createServices(options: {
  archive: Archive;
  collector: Collector;
  onChange(): void;
}): Services {
  const { archive, collector, onChange } = options;
  const byName = new Map<string, Registration>();

  const ownedBy = (policy: Policy, name: string): boolean =>
    policy.targets.some((target) => target.name === name);

  /** Takes it in, or leaves everything as it was. */
  const adopt = (registration: Registration): void => {
    const { name } = registration;
    const before = byName.get(name);
    byName.set(name, registration);
    try {
      onChange();
    } catch (cause) {
      if (before === undefined) byName.delete(name);
      else byName.set(name, before);
      onChange();
      if (!(cause instanceof RangeError)) throw cause;
      throw new codes.MEM_TOO_MANY_SERIES('No more series can be kept; no service can be added.', {
        cause,
      });
    }
  };

  const keep = (name: string, registration: Registration | null): void =>
    archive.save(PREFIX + name, registration);

  return {
    all: () => [...byName.values()],
    has: (name) => byName.has(name),
    put(registration, policy) {
      const { name } = registration;
      if (ownedBy(policy, name)) {
        throw new codes.MEM_CONFLICT(`"${name}" is a target of the policy; choose another name.`);
      }
      if (!byName.has(name) && byName.size >= MAX_SERVICES) {
        throw new codes.MEM_CONFLICT(`${MAX_SERVICES} services are registered; remove one first.`);
      }
      adopt(registration);
      const identity = collector.identify(name)?.identity ?? null;
      const identified = { ...registration, identity };
      byName.set(name, identified);
      keep(name, identified);
      archive.writeNow();
    },
    remove(name) {
      if (!byName.delete(name)) {
        throw new codes.MEM_UNKNOWN_TARGET(`There is no registered service "${name}".`);
      }
      keep(name, null);
      archive.writeNow();
      onChange();
    },
    targets: (policy) =>
      [...byName.values()]
        .filter(({ name }) => !ownedBy(policy, name))
        .map((service) => registrationTarget(service, policy.budgetPercents)),
    seen({ target, identity }) {
      const service = byName.get(target);
      if (service?.identity !== null) return;
      const identified = { ...service, identity };
      byName.set(target, identified);
      keep(target, identified);
    },
    restore() {
      const stored = [...archive.recall(PREFIX).values()] as Registration[];
      for (const service of stored) byName.set(service.name, service);
      if (stored.length === 0) return;
      onChange();
      // What was stored counts, and not what was found just now.
      for (const service of stored) {
        const now = collector.identify(service.name)?.identity ?? null;
        if (now === service.identity && now !== null) continue;
        byName.delete(service.name);
        keep(service.name, null);
      }
      onChange();
    },
  };
}
