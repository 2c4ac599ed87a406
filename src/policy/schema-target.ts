import * as Type from '../typebox.ts';
import {
  argv,
  cgroupPath,
  choice,
  duration,
  flag,
  name,
  nullable,
  pattern,
  size,
  text,
  unitName,
  url,
  wholeNumber,
  yes,
} from './schema-leaf.ts';

const CLOSED = { additionalProperties: false } as const;

const match = Type.Object(
  {
    self: Type.Optional(yes({ description: 'memwarden itself' })),
    pid: Type.Optional(
      wholeNumber({ description: 'the process with this id', min: 1, max: 2 ** 22 }),
    ),
    pid_file: Type.Optional(text({ description: 'the process whose id this file holds' })),
    command: Type.Optional(
      pattern({ description: 'the oldest process whose command line this expression finds' }),
    ),
    port: Type.Optional(
      wholeNumber({ description: 'the process that listens on this TCP port', min: 1, max: 65535 }),
    ),
    cgroup: Type.Optional(cgroupPath({ description: 'the processes of this cgroup path' })),
    unit: Type.Optional(unitName({ description: 'the processes of this systemd unit' })),
  },
  { ...CLOSED, description: 'How the process is found: exactly one of these keys.' },
);

const role = Type.Object(
  {
    role: name({ description: 'name of the role' }),
    match: pattern({ description: 'command lines of the child processes in this role' }),
    max_count: nullable(
      wholeNumber({ description: 'more processes than this are an anomaly', min: 0, max: 100_000 }),
    ),
    memory: nullable(size({ description: 'memory all of them may use together' })),
  },
  CLOSED,
);

const cleanerHttp = Type.Object(
  {
    url: url(['http', 'https'], { description: 'address to call' }),
    method: choice(['POST', 'PUT', 'DELETE', 'GET'], {
      description: 'HTTP method',
      default: 'POST',
    }),
    timeout: Type.Optional(
      duration({ description: "in place of the cleaner's timeout", min: '1ms', max: '10m' }),
    ),
  },
  { ...CLOSED, description: 'Call an address of the target.' },
);

const cleaner = Type.Object(
  {
    name: name({ description: 'name of the cleaner' }),
    level: choice(['gentle', 'aggressive', 'emergency'], {
      description: 'the gentlest cleanup that runs it',
      default: 'aggressive',
    }),
    timeout: duration({
      description: 'how long it may take',
      default: '5s',
      min: '1ms',
      max: '10m',
    }),
    http: Type.Optional(cleanerHttp),
    signal: Type.Optional(text({ description: 'signal to send, such as SIGUSR2' })),
    gc: Type.Optional(yes({ description: 'collect the garbage of a Node process' })),
    command: Type.Optional(argv({ description: 'program to run, without a shell' })),
    reclaim: Type.Optional(
      size({ description: 'amount to ask of memory.reclaim (cgroup v2) of the target' }),
    ),
  },
  CLOSED,
);

const restart = Type.Object(
  {
    command: argv({ description: 'program that restarts the target, without a shell' }),
    when: text({
      description: 'leak>=low|medium|high|critical or budget>=warning|critical',
    }),
    max_restarts: wholeNumber({
      description: 'no more than so many',
      default: 3,
      min: 1,
      max: 1000,
    }),
    within: duration({
      description: 'in this time',
      default: '1h',
      min: '1s',
      max: '30d',
    }),
  },
  { ...CLOSED, description: 'How and when the target is restarted.' },
);

/** One entry of `targets`. */
export const targetSchema = Type.Object(
  {
    name: name({ description: 'name of the target; "system" is the host and cannot be used' }),
    match,
    include_children: flag({
      description: 'count its child processes too',
      default: true,
    }),
    budget: nullable(size({ description: 'memory it may use; before memory_budgets.services' })),
    attach: flag({
      description: 'allow memwarden to use the Node inspector of this process',
      default: false,
    }),
    roles: Type.Array(role, {
      description: 'What its child processes are, told by their command lines.',
      default: [],
    }),
    cleaners: Type.Array(cleaner, {
      description:
        'What can be cleaned up: each has exactly one of http, signal, gc, command, reclaim.',
      default: [],
    }),
    restart: Type.Optional(restart),
  },
  CLOSED,
);
