import * as Type from '../typebox.ts';
import { choice, listOfValues, name, nullable, text, url } from './schema-leaf.ts';

const channel = Type.Object(
  {
    name: name({ description: 'name of the channel' }),
    type: choice(['log', 'webhook', 'alertmanager', 'email', 'slack', 'a2a'], {
      description: 'kind of channel; it decides which of the other keys apply',
    }),
    url: Type.Optional(
      url(['http', 'https'], { description: 'webhook, alertmanager, slack, a2a' }),
    ),
    url_file: Type.Optional(text({ description: 'webhook, slack: file with the URL' })),
    secret_file: Type.Optional(text({ description: 'webhook: file with the signing secret' })),
    smtp: Type.Optional(url(['smtp', 'smtps'], { description: 'email: the mail server' })),
    from: Type.Optional(text({ description: 'email: sender' })),
    to: Type.Optional(
      listOfValues(Type.String({ minLength: 1, maxLength: 320 }), {
        description: 'email: receivers',
        expected: 'a list of mail addresses',
      }),
    ),
  },
  { additionalProperties: false },
);

function recipients(severity: string) {
  const description = `channels for ${severity} alerts; null is every channel`;
  return nullable(
    listOfValues(Type.String({ minLength: 1, maxLength: 64 }), {
      description,
      expected: 'a list of channel names',
    }),
  );
}

/** The section `alerts`. */
export const alertsSchema = Type.Object(
  {
    channels: Type.Array(channel, {
      description: 'The ways a notification can go.',
      default: [{ name: 'log', type: 'log' }],
    }),
    recipients: Type.Object(
      {
        warning: recipients('warning'),
        critical: recipients('critical'),
        emergency: recipients('emergency'),
      },
      {
        additionalProperties: false,
        default: {},
        description: 'Who is told what. A name that is no channel is accepted and told.',
      },
    ),
  },
  { additionalProperties: false, default: {}, description: 'Who is told, and how.' },
);
