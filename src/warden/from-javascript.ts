/** What an application hands over may be JavaScript: no type has checked it. */
import type { Collector } from '../collect/collector.ts';
import { codes } from '../errors.ts';
import { CLEANUP_LEVELS, type Cleaner } from '../respond/cleaner.ts';

/** A name as it can be shown, whatever it is. */
export const shown = (value: unknown): string =>
  typeof value === 'string' ? value.slice(0, 80) : typeof value;

/** @throws MEM_UNKNOWN_TARGET, which names those there are */
export function requireTarget(collector: Collector, caller: string, target: string): void {
  if (collector.state(target) !== undefined) return;
  const known = collector.states().map((state) => state.name);
  throw new codes.MEM_UNKNOWN_TARGET(
    `${caller}: there is no target "${shown(target)}". Known: ${known.join(', ')}.`,
  );
}

/** @throws MEM_BAD_REQUEST or MEM_UNKNOWN_TARGET */
export function requireCleaner(collector: Collector, cleaner: Cleaner): void {
  const expect = (isRight: boolean, what: string): void => {
    if (!isRight) throw new codes.MEM_BAD_REQUEST(`addCleaner: expected ${what}.`);
  };
  expect(typeof cleaner === 'object' && cleaner !== null, 'an object');
  const { name, level, run, plan, target } = cleaner;
  expect(typeof name === 'string' && name !== '', 'a name');
  expect(CLEANUP_LEVELS.includes(level), `level of "${name}" to be ${CLEANUP_LEVELS.join(', ')}`);
  expect(typeof run === 'function', `run of "${name}" to be a function`);
  expect(
    typeof plan === 'function',
    `plan of "${name}" to be a function that says what it would do`,
  );
  requireTarget(collector, 'addCleaner', target);
}
