import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { listeners } from '../../../../src/collect/procfs/listeners.ts';

const listen = async (host: string): Promise<net.Server> => {
  const server = net.createServer().listen(0, host);
  await once(server, 'listening');
  return server;
};

describe('listeners', () => {
  it.each(['127.0.0.1', '::1'])('finds who listens on %s, and nobody afterwards', async (host) => {
    const server = await listen(host);
    const { port } = server.address() as AddressInfo;
    expect(listeners('/proc', port)).toEqual([process.pid]);
    server.close();
    await once(server, 'close');
    expect(listeners('/proc', port)).toBe(`nothing listens on port ${port}`);
  });

  it('does not take a connection for a listener', async () => {
    const server = await listen('127.0.0.1');
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const { localPort } = socket;
    expect(listeners('/proc', localPort as number)).toBe(`nothing listens on port ${localPort}`);
    socket.destroy();
    server.close();
    await once(server, 'close');
  });
});
