import type { Severity } from '../../policy/policy.ts';
import type { Log } from '../log.ts';
import type { Channel } from './channel.ts';

const METHOD_BY_SEVERITY = {
  warning: 'warn',
  critical: 'error',
  emergency: 'error',
} as const satisfies Record<Severity, keyof Log>;

/** Writes alerts to the log: the one channel that is always there. */
export function createLogChannel(log: Log): Channel {
  return {
    name: 'log',
    async send(message) {
      const { text, ...facts } = message;
      const method = message.event === 'resolved' ? 'info' : METHOD_BY_SEVERITY[message.severity];
      log[method]({ alert: facts }, text);
    },
  };
}
