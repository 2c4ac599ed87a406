const MAX_LENGTH = 500;

/** What was thrown, in at most 500 characters. Never throws, whatever it is given. */
export function errorText(thrown: unknown): string {
  try {
    const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
    return String(text).slice(0, MAX_LENGTH);
  } catch {
    return 'an error that cannot be shown as text';
  }
}
