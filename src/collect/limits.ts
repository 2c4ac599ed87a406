/** The limits that hold for a target, and what is charged against each. From the last sample. */
import type { OwnFigures } from './own-process.ts';
import type { LimitInput } from './reading.ts';
import type { CgroupView, SystemFigures } from './world.ts';

export interface LimitSources {
  /** of the target when it is this process, else null */
  readonly own: Readonly<OwnFigures> | null;
  readonly cgroup: CgroupView | string;
  readonly system: Readonly<SystemFigures>;
}

/** Pure. Levels without a limit are left out; one that cannot be read is NaN. */
export function limitInputsOf({ own, cgroup, system }: LimitSources): LimitInput[] {
  return [
    ...(own === null ? [] : [heapLimit(own)]),
    ...(typeof cgroup === 'string' ? [] : cgroupLimits(cgroup)),
    hostLimit(system),
  ];
}

export function hostLimit({ totalBytes, availableBytes }: Readonly<SystemFigures>): LimitInput {
  return {
    kind: 'host',
    name: 'host',
    limitBytes: totalBytes,
    usageBytes: totalBytes - availableBytes,
  };
}

function heapLimit({ heapLimitBytes, heapUsedBytes }: Readonly<OwnFigures>): LimitInput {
  return {
    kind: 'v8_heap',
    name: 'heap limit',
    limitBytes: heapLimitBytes,
    usageBytes: heapUsedBytes,
  };
}

function cgroupLimits({ levels, hiddenLimitBytes }: CgroupView): LimitInput[] {
  const visible = levels
    .filter(({ limitBytes }) => limitBytes !== Infinity)
    .map(
      (level): LimitInput => ({
        kind: 'cgroup',
        name: level.path,
        limitBytes: level.limitBytes,
        usageBytes: level.workingSetBytes,
      }),
    );
  if (hiddenLimitBytes === Infinity) return visible;
  // what its other children use cannot be seen either: this usage is the least it can be
  const usageBytes = levels[0]?.workingSetBytes ?? Number.NaN;
  return [
    ...visible,
    { kind: 'cgroup', name: '(an ancestor)', limitBytes: hiddenLimitBytes, usageBytes },
  ];
}
