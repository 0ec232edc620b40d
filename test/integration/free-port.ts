/** Ports for programs that cannot choose one themselves. @module */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Systems give ports from 32,768 on to whoever asks for any, and servers of tests have theirs from
 * 12,000 on, see `nextPorts`: below, nobody else takes a free port between this look and the start of
 * the program that it is for, and no server finds its port taken when it comes back.
 */
const PORTS = { min: 10_000, max: 12_000 } as const;

/** A program may not listen yet when the port for the next one is chosen. */
const given = new Set<number>();

/** A TCP port that nobody listens at, another one each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.min, PORTS.max);
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
