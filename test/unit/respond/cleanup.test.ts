import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CleanupLevel } from '../../../src/policy/policy.ts';
import { CLEANUP_LEVELS, type Cleaner, SkipCleaner } from '../../../src/respond/cleaner.ts';
import type { Log } from '../../../src/respond/log.ts';
import { aCleaner, aCleanup, aGate } from './a-cleanup.ts';

const NEVER = () => new Promise<undefined>(() => {});
const EMERGENCY = { level: 'emergency', reason: 'test' } as const;
const conflict = expect.objectContaining({ code: 'MEM_CONFLICT' });
const badRequest = expect.objectContaining({ code: 'MEM_BAD_REQUEST' });

const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => {
  unhandled.push(error);
};
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', onUnhandled);
});
afterEach(async () => {
  await new Promise(setImmediate);
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled).toEqual([]);
});

describe('what a run runs', () => {
  it('is every cleaner of its level and the gentler ones, by order, level and registration', async () => {
    const { cleanup } = aCleanup();
    const add = (name: string, level: CleanupLevel, order?: number): void => {
      cleanup.register(aCleaner(name, undefined, { level, order }));
    };
    add('last', 'gentle', 200);
    add('c', 'emergency');
    add('b', 'aggressive');
    add('a1', 'gentle');
    add('a2', 'gentle');
    add('first', 'emergency', 1);
    const names = async (level: CleanupLevel) =>
      (await cleanup.run({ level, reason: 'test' })).results.map((row) => row.cleaner);
    expect(await names('gentle')).toEqual(['a1', 'a2', 'last']);
    expect(await names('aggressive')).toEqual(['a1', 'a2', 'b', 'last']);
    expect(await names('emergency')).toEqual(['first', 'a1', 'a2', 'b', 'c', 'last']);
  });

  it('is limited to a target when one is named', async () => {
    const { cleanup, rss } = aCleanup();
    rss.set('api', 7);
    cleanup.register(aCleaner('own'));
    cleanup.register(aCleaner('theirs', undefined, { target: 'api' }));
    const run = await cleanup.run({ ...EMERGENCY, target: 'api' });
    expect(run.results.map((row) => row.cleaner)).toEqual(['theirs']);
    expect(run.before).toEqual({ target: 'api', rssBytes: 7 });
    expect((await cleanup.run(EMERGENCY)).before).toMatchObject({ target: 'self' });
  });

  it('leaves out a cleaner that is unregistered before its turn', async () => {
    const { cleanup } = aCleanup();
    let unregister = (): void => {};
    cleanup.register(aCleaner('first', () => unregister()));
    unregister = cleanup.register(aCleaner('second'));
    expect((await cleanup.run(EMERGENCY)).results).toHaveLength(1);
  });

  it('takes the cleaner that replaced another before its turn, as on a policy reload', async () => {
    const { cleanup } = aCleanup();
    let reload = (): void => {};
    cleanup.register(aCleaner('first', () => reload()));
    const unregister = cleanup.register(aCleaner('second', () => ({ items: 1 })));
    reload = () => {
      unregister();
      cleanup.register(aCleaner('second', () => ({ items: 2 })));
    };
    expect((await cleanup.run(EMERGENCY)).results[1]).toMatchObject({ items: 2 });
  });

  it('in a dry run is only planned', async () => {
    const heard: string[] = [];
    const { cleanup } = aCleanup({ onRun: (run) => heard.push(run.id) });
    const act = () => {
      throw new Error('must not run');
    };
    cleanup.register(aCleaner('a', act));
    cleanup.register(aCleaner('b', act, { plan: act }));
    const run = await cleanup.run({ ...EMERGENCY, dryRun: true });
    expect(run).toMatchObject({ dryRun: true, freedBytes: null });
    expect(run.results).toMatchObject([
      { cleaner: 'a', outcome: 'skipped', plan: 'do a', error: null },
      { cleaner: 'b', outcome: 'failed', error: 'must not run' },
    ]);
    expect(heard).toEqual([run.id]);
    expect(cleanup.runs.get('emergency')).toEqual({ ok: 0, failed: 0, timed_out: 0, skipped: 0 });
    expect(cleanup.scores()[0]).toMatchObject({ runs: 0, lastRunMs: null });
  });

  it('may be nothing at all', async () => {
    const run = await aCleanup().cleanup.run({ level: 'gentle', reason: 'periodic' });
    expect(run).toMatchObject({ id: 'run-1', results: [], freedBytes: null, reason: 'periodic' });
  });
});

describe('registering', () => {
  it('refuses a second of the same name and target, and takes it when the first is gone', () => {
    const { cleanup } = aCleanup();
    const unregister = cleanup.register(aCleaner('a'));
    cleanup.register(aCleaner('a', undefined, { target: 'api' }));
    expect(() => cleanup.register(aCleaner('a'))).toThrow(conflict);
    unregister();
    cleanup.register(aCleaner('a'));
    unregister();
    expect(cleanup.scores()).toHaveLength(2);
    expect(() => cleanup.register(aCleaner('a'))).toThrow(conflict);
  });

  it.each([0, -1, Number.NaN, Infinity, 2 ** 31])('refuses a time-out of %d ms', (timeoutMs) => {
    expect(() => aCleanup().cleanup.register(aCleaner('a', undefined, { timeoutMs }))).toThrow(
      badRequest,
    );
  });
});

describe('a cleaner that fails', () => {
  const thrown: [string, Cleaner['run'], string][] = [
    [
      'throws',
      () => {
        throw new Error('no');
      },
      'no',
    ],
    [
      'rejects',
      async () => {
        throw new TypeError('later');
      },
      'later',
    ],
    [
      'throws a string',
      () => {
        throw 'text';
      },
      'text',
    ],
    ['rejects with nothing', () => Promise.reject(), 'undefined'],
    [
      'throws what has no text',
      () => {
        throw Object.create(null);
      },
      'an error that cannot be shown as text',
    ],
    [
      'throws an Error without a message',
      () => {
        throw new RangeError();
      },
      'RangeError',
    ],
    [
      'returns a thenable that throws',
      () =>
        Object.fromEntries([
          [
            'then',
            () => {
              throw new Error('hostile');
            },
          ],
        ]),
      'hostile',
    ],
  ];
  it.each(thrown)('has it in its row and stops nobody: %s', async (_, run, error) => {
    const { cleanup, log } = aCleanup();
    cleanup.register(aCleaner('bad', run));
    cleanup.register(aCleaner('good', () => ({ freedBytes: 5, items: 2 })));
    const { results } = await cleanup.run(EMERGENCY);
    expect(results).toMatchObject([
      { cleaner: 'bad', outcome: 'failed', error, freedBytes: null },
      { cleaner: 'good', outcome: 'ok', error: null, freedBytes: 5, items: 2 },
    ]);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('is skipped, not failed, when it says that it cannot act here', async () => {
    const { cleanup } = aCleanup();
    cleanup.register(
      aCleaner('a', () => {
        throw new SkipCleaner('no cgroup');
      }),
    );
    const { results } = await cleanup.run(EMERGENCY);
    expect(results).toMatchObject([{ outcome: 'skipped', error: 'no cgroup' }]);
    expect(cleanup.scores()).toMatchObject([{ runs: 0 }]);
  });

  it.each([
    [{ freedBytes: -5 }, /freedBytes was ignored: number -5/],
    [{ freedBytes: Number.NaN, items: 3 }, /freedBytes/],
    [{ freedBytes: '12' }, /string 12/],
    [{ freedBytes: 1, items: Infinity }, /items/],
    [
      {
        get freedBytes() {
          throw new Error('getter');
        },
      },
      /its answer was ignored: getter/,
    ],
  ])('is ok when only its answer is nonsense, which is noted (%#)', async (answer, note) => {
    const { cleanup, rss } = aCleanup();
    rss.set('self', 100);
    cleanup.register(aCleaner('a', () => answer as never));
    const { results } = await cleanup.run(EMERGENCY);
    expect(results[0]).toMatchObject({ outcome: 'ok', error: expect.stringMatching(note) });
    expect([0, 1]).toContain(results[0]?.freedBytes);
  });

  it.each([null, 'text', 7, [], Symbol('x')])('is ok when it answers %s', async (answer) => {
    const { cleanup } = aCleanup();
    cleanup.register(aCleaner('a', () => answer as never));
    expect((await cleanup.run(EMERGENCY)).results).toMatchObject([{ outcome: 'ok', error: null }]);
  });
});

describe('a cleaner that hangs', () => {
  it('is given up at its time-out, with its signal aborted, and the run goes on', async () => {
    const { cleanup } = aCleanup();
    let reason: unknown;
    const hang: Cleaner['run'] = (signal) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return NEVER();
    };
    cleanup.register(aCleaner('hangs', hang, { timeoutMs: 20 }));
    cleanup.register(aCleaner('good'));
    const { results } = await cleanup.run(EMERGENCY);
    expect(results).toMatchObject([
      { outcome: 'timed_out', error: 'no answer within 20 ms', freedBytes: null },
      { outcome: 'ok' },
    ]);
    expect(reason).toBeInstanceOf(Error);
    expect(cleanup.scores()).toMatchObject([{ timedOut: 1, runs: 1 }, { ok: 1 }]);
  });

  it('does not run a second time until the first has ended, well or badly', async () => {
    const { cleanup } = aCleanup();
    const gates = [aGate(), aGate(), aGate()];
    let turn = 0;
    const run = () => gates[turn++]?.run() ?? NEVER();
    cleanup.register(aCleaner('slow', run, { timeoutMs: 10 }));
    const outcome = async () => (await cleanup.run(EMERGENCY)).results[0]?.outcome;
    expect(await outcome()).toBe('timed_out');
    expect(await outcome()).toBe('skipped');
    gates[0]?.fail(new Error('too late to matter'));
    await new Promise(setImmediate);
    expect(await outcome()).toBe('timed_out');
    gates[1]?.open();
    await new Promise(setImmediate);
    gates[2]?.open();
    expect(await outcome()).toBe('ok');
    expect(turn).toBe(3);
  });
});

describe('a cleaner that is registered again', () => {
  it('keeps its score and is still the one that hangs', async () => {
    const { cleanup } = aCleanup();
    const unregister = cleanup.register(aCleaner('a', NEVER, { timeoutMs: 10 }));
    await cleanup.run(EMERGENCY);
    unregister();
    expect(cleanup.scores()).toEqual([]);
    cleanup.register(aCleaner('a'));
    expect((await cleanup.run(EMERGENCY)).results).toMatchObject([{ outcome: 'skipped' }]);
    expect(cleanup.scores()).toMatchObject([{ cleaner: 'a', runs: 1, timedOut: 1 }]);
  });

  it('is forgotten after a thousand others, so that comings and goings cost no memory', async () => {
    const { cleanup } = aCleanup();
    const take = (name: string): void => cleanup.register(aCleaner(name))();
    cleanup.register(aCleaner('stays'));
    const leave = cleanup.register(aCleaner('gone'));
    await cleanup.run(EMERGENCY);
    leave();
    for (let i = 0; i < 1_001; i++) take(`other ${i}`);
    cleanup.register(aCleaner('gone'));
    expect(cleanup.scores()).toMatchObject([
      { cleaner: 'stays', runs: 1 },
      { cleaner: 'gone', runs: 0 },
    ]);
  });
});

describe('what was freed', () => {
  it('is what the cleaner said, else what its target shrank or grew by, else unknown', async () => {
    const { cleanup, rss } = aCleanup();
    rss.set('self', 1_000).set('api', 500);
    cleanup.register(aCleaner('says', () => ({ freedBytes: 70 })));
    cleanup.register(aCleaner('shrinks', () => void rss.set('self', 600)));
    cleanup.register(aCleaner('grows', () => void rss.set('api', 510), { target: 'api' }));
    cleanup.register(aCleaner('unknown', undefined, { target: 'gone' }));
    const run = await cleanup.run(EMERGENCY);
    expect(run.results.map((row) => row.freedBytes)).toEqual([70, 400, -10, null]);
    expect(run.freedBytes).toBe(460);
    expect([run.before?.rssBytes, run.after?.rssBytes]).toEqual([1_000, 600]);
    await cleanup.run(EMERGENCY);
    const grows = cleanup.scores().find((score) => score.cleaner === 'grows');
    expect(cleanup.scores()[0]).toMatchObject({
      freedBytesTotal: 140,
      lastFreedBytes: 70,
      runs: 2,
      lastRunMs: 1_000,
    });
    expect(grows).toMatchObject({ freedBytesTotal: 0, lastFreedBytes: 0 });
  });

  it('is not believed beyond what the process held, and then measured', async () => {
    const { cleanup, rss } = aCleanup();
    rss.set('self', 52 * 2 ** 20);
    const shrinkTo = (bytes: number) => void rss.set('self', bytes);
    cleanup.register(aCleaner('all', () => ({ freedBytes: 52 * 2 ** 20 })));
    cleanup.register(
      aCleaner('more', () => {
        shrinkTo(50 * 2 ** 20);
        return { freedBytes: 9 * 2 ** 40, items: 2 };
      }),
    );
    const run = await cleanup.run(EMERGENCY);
    expect(run.results).toMatchObject([
      { outcome: 'ok', freedBytes: 52 * 2 ** 20, error: null },
      {
        outcome: 'ok',
        freedBytes: 2 * 2 ** 20,
        items: 2,
        error: 'its freedBytes was ignored: 9 TiB is more than the process held (52 MiB)',
      },
    ]);
    expect(run.freedBytes).toBe(54 * 2 ** 20);
    expect(cleanup.scores()[1]).toMatchObject({ freedBytesTotal: 2 * 2 ** 20, ok: 1 });
  });

  it('is not believed beyond the machine where the process is unknown or is not all there is', async () => {
    const { cleanup, rss } = aCleanup({ machineBytes: 2 ** 34 });
    rss.set('self', 2 ** 20);
    const add = (name: string, freedBytes: number, over: Partial<Cleaner>) =>
      cleanup.register(aCleaner(name, () => ({ freedBytes }), over));
    add('unknown', 2 ** 33, { target: 'api' });
    add('unknown liar', 2 ** 35, { target: 'api' });
    add('cache', 2 ** 33, { freesPageCache: true });
    add('cache liar', 2 ** 35, { freesPageCache: true });
    const error = 'its freedBytes was ignored: 32 GiB is more than this machine has (16 GiB)';
    expect((await cleanup.run(EMERGENCY)).results).toMatchObject([
      { freedBytes: 2 ** 33, error: null },
      { freedBytes: null, error },
      { freedBytes: 2 ** 33, error: null },
      { freedBytes: 0, error },
    ]);
  });

  it('is unknown, and the work still done, when measuring fails', async () => {
    const { cleanup, log } = aCleanup({
      measure: () => {
        throw new Error('no /proc');
      },
    });
    let done = 0;
    cleanup.register(aCleaner('a', () => void done++));
    const run = await cleanup.run(EMERGENCY);
    expect(run).toMatchObject({ before: null, after: null, freedBytes: null });
    expect(done).toBe(1);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: { target: 'self', error: 'no /proc' } }),
    );
  });
});

describe('calls at the same time', () => {
  const setup = () => {
    const { cleanup } = aCleanup();
    const gate = aGate();
    let turns = 0;
    cleanup.register(aCleaner('gate', () => (turns++ === 0 ? gate.run() : undefined)));
    cleanup.register(aCleaner('strong', undefined, { level: 'emergency' }));
    cleanup.register(aCleaner('api', undefined, { level: 'emergency', target: 'api' }));
    return { cleanup, gate };
  };
  const ask = (level: CleanupLevel, target?: string) => ({
    level,
    target,
    reason: `${level} ${target}`,
  });

  it('join the running one when it does all that they ask', async () => {
    const { cleanup, gate } = setup();
    const first = cleanup.run(ask('aggressive'));
    const joined = [
      cleanup.run(ask('aggressive')),
      cleanup.run(ask('gentle')),
      cleanup.run(ask('gentle', 'api')),
    ];
    gate.open();
    const run = await first;
    for (const other of await Promise.all(joined)) expect(other).toBe(run);
  });

  it('wait together in one run behind it when it does not, which does just what they asked', async () => {
    const { cleanup, gate } = setup();
    const first = cleanup.run(ask('gentle'));
    const second = cleanup.run(ask('emergency', 'api'));
    const third = cleanup.run(ask('aggressive'));
    const fourth = cleanup.run(ask('gentle', 'api'));
    gate.open();
    const run = await second;
    expect(await third).toBe(run);
    expect((await fourth).id).toBe('run-1');
    expect((await first).id).toBe('run-1');
    expect(run).toMatchObject({
      level: 'emergency',
      reason: 'emergency api; aggressive undefined',
    });
    expect(run.results.map((row) => row.cleaner)).toEqual(['gate', 'api']);
    expect((await cleanup.run(ask('gentle'))).id).toBe('run-3');
  });

  it('start anew when the running one has ended, even in the very turn in which it ends', async () => {
    const { cleanup, gate } = setup();
    const first = cleanup.run(ask('gentle'));
    const second = first.then(() => cleanup.run(ask('gentle')));
    gate.open();
    expect((await second).id).toBe('run-2');
  });

  it('never run two cleaners at once, whatever is asked when', async () => {
    const request = fc.record({
      level: fc.constantFrom(...CLEANUP_LEVELS),
      target: fc.constantFrom(undefined, 'self', 'api'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(request, fc.nat(3)), { maxLength: 30 }), async (calls) => {
        const { cleanup } = aCleanup();
        let running = 0;
        let most = 0;
        for (const level of CLEANUP_LEVELS) {
          for (const target of ['self', 'api']) {
            const run = async () => {
              most = Math.max(most, ++running);
              await new Promise(setImmediate);
              running--;
            };
            cleanup.register(aCleaner(level, run, { level, target }));
          }
        }
        const runs = [];
        for (const [asked, pauses] of calls) {
          for (let i = 0; i < pauses; i++) await new Promise(setImmediate);
          runs.push(cleanup.run({ ...asked, reason: 'x' }).then((run) => ({ run, asked })));
        }
        for (const { run, asked } of await Promise.all(runs)) {
          const done = run.results.map((row) => `${row.cleaner} ${row.target}`);
          const wanted = CLEANUP_LEVELS.slice(0, CLEANUP_LEVELS.indexOf(asked.level) + 1);
          for (const level of wanted) expect(done).toContain(`${level} ${asked.target ?? 'api'}`);
        }
        expect(most).toBeLessThanOrEqual(1);
      }),
      { numRuns: 40 },
    );
  });

  it('do not make a dry run wait', async () => {
    const { cleanup, gate } = setup();
    const acting = cleanup.run(ask('gentle'));
    await gate.begun;
    expect((await cleanup.run({ ...ask('emergency'), dryRun: true })).dryRun).toBe(true);
    gate.open();
    expect((await acting).dryRun).toBe(false);
  });
});

describe('counting', () => {
  it('counts runs by level and worst outcome', async () => {
    const { cleanup } = aCleanup();
    await cleanup.run({ level: 'gentle', reason: 'x' });
    cleanup.register(aCleaner('bad', () => Promise.reject('x'), { level: 'aggressive' }));
    cleanup.register(aCleaner('good'));
    await cleanup.run({ level: 'gentle', reason: 'x' });
    await cleanup.run({ level: 'aggressive', reason: 'x' });
    expect(cleanup.runs.get('gentle')).toEqual({ ok: 2, failed: 0, timed_out: 0, skipped: 0 });
    expect(cleanup.runs.get('aggressive')).toEqual({ ok: 0, failed: 1, timed_out: 0, skipped: 0 });
  });

  it('survives a listener that throws', async () => {
    const { cleanup, log } = aCleanup({
      onRun: () => {
        throw new Error('listener');
      },
    });
    await cleanup.run(EMERGENCY);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: { error: 'listener' } });
  });

  it("takes pino's logger", () => {
    const log: Log = pino({ enabled: false });
    expect(() => aCleanup({ log })).not.toThrow();
  });
});

describe('closing', () => {
  it('lets the running cleaner end, skips the others and refuses what comes later', async () => {
    const { cleanup } = aCleanup();
    const gate = aGate();
    cleanup.register(aCleaner('running', gate.run));
    cleanup.register(aCleaner('next'));
    const first = cleanup.run({ level: 'gentle', reason: 'x' });
    const second = cleanup.run(EMERGENCY);
    await gate.begun;
    const closed = cleanup.close();
    await expect(cleanup.run(EMERGENCY)).rejects.toMatchObject({ code: 'MEM_NOT_READY' });
    gate.open();
    await closed;
    expect((await first).results).toMatchObject([{ outcome: 'ok' }, { outcome: 'skipped' }]);
    expect((await second).results).toMatchObject([{ outcome: 'skipped' }, { outcome: 'skipped' }]);
    await cleanup.close();
  });

  it('does not wait past its ceiling', async () => {
    const { cleanup } = aCleanup({ closeWaitMs: 20 });
    const gate = aGate();
    cleanup.register(aCleaner('hangs', gate.run, { timeoutMs: 60_000 }));
    const run = cleanup.run(EMERGENCY);
    await gate.begun;
    await cleanup.close();
    expect((await run).results).toMatchObject([
      { outcome: 'failed', error: 'given up: memwarden is stopping' },
    ]);
  });
});
