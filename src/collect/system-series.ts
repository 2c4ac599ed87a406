/** The host's memory as series: integers, so that they compress. */
import type { SystemFigures } from './world.ts';

export const SYSTEM_SERIES = [
  'available_bytes',
  'total_bytes',
  'used_bytes',
  'swap_used_bytes',
  'psi_some_avg10_x100',
  'psi_full_avg10_x100',
  'oom_kills',
  'swap_in_pages',
  'swap_out_pages',
] as const;

/** In the order of SYSTEM_SERIES. */
export function systemValues(figures: Readonly<SystemFigures>): number[] {
  const { availableBytes, totalBytes, swapUsedBytes, psiSomeX100, psiFullX100 } = figures;
  return [
    availableBytes,
    totalBytes,
    totalBytes - availableBytes,
    swapUsedBytes,
    psiSomeX100,
    psiFullX100,
    figures.oomKills,
    figures.swapInPages,
    figures.swapOutPages,
  ];
}
