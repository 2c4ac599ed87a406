/** Numbers in the words that people read. An unknown number is the word `unknown`. */

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const SPANS = [
  { unit: 'd', ms: 86_400_000 },
  { unit: 'h', ms: 3_600_000 },
  { unit: 'min', ms: 60_000 },
  { unit: 's', ms: 1000 },
] as const;

/** `1.5 MiB`. With `like`, in the unit that fits that size, so that two sizes can be compared. */
export function formatBytes(bytes: number, like: number = bytes): string {
  if (!Number.isFinite(bytes)) return 'unknown';
  const size = Math.max(1, Math.abs(like));
  const power = Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(size) / 10));
  return `${threeDigits(bytes / 1024 ** power)} ${BYTE_UNITS[power]}`;
}

/** `+12 MiB/h`, `-3 KiB/h`, `0 B/h`. */
export function formatRate(bytesPerHour: number): string {
  if (!Number.isFinite(bytesPerHour)) return 'unknown';
  return `${bytesPerHour > 0 ? '+' : ''}${formatBytes(bytesPerHour)}/h`;
}

/** The two largest units: `2 h 5 min`, `45 s`, `250 ms`. */
export function formatSpan(spanMs: number): string {
  if (!Number.isFinite(spanMs)) return 'unknown';
  if (spanMs < 0) return `-${formatSpan(-spanMs)}`;
  const first = SPANS.findIndex(({ ms }) => spanMs >= ms);
  if (first === -1) return `${Math.floor(spanMs)} ms`;

  const words: string[] = [];
  let restMs = spanMs;
  for (const { unit, ms } of SPANS.slice(first, first + 2)) {
    const count = Math.floor(restMs / ms);
    if (count > 0) words.push(`${count} ${unit}`);
    restMs -= count * ms;
  }
  return words.join(' ');
}

/** Three significant digits, without cutting whole numbers short or leaving zeros behind. */
function threeDigits(value: number): string {
  const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return String(Number(value.toFixed(decimals)));
}
