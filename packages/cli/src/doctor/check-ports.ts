/** Checks the ports: ours are there or free, and none is open that is not encrypted. @module */
import { type Finding, bad, good, unknown, warn } from './finding.ts';
import type { OpenPort } from './open-ports.ts';

const CHECK = 'ports';

/** A port that the server has, or is to have. */
export interface WantedPort {
  /** Such as `broker`. */
  readonly name: string;
  readonly port: number;
}

/** What devices would speak there without encryption. */
const PLAIN_PORTS: readonly { protocol: OpenPort['protocol']; port: number; what: string }[] = [
  { protocol: 'tcp', port: 1883, what: 'MQTT without encryption' },
  { protocol: 'udp', port: 5683, what: 'CoAP without encryption' },
  { protocol: 'tcp', port: 5683, what: 'CoAP without encryption' },
  { protocol: 'tcp', port: 80, what: 'HTTP without encryption' },
];

/** What is known of the ports. */
export interface PortFacts {
  /** Undefined where the system does not tell. */
  readonly open: readonly OpenPort[] | undefined;
  readonly wanted: readonly WantedPort[];
  /** Whether a server has the data folder. */
  readonly isRunning: boolean;
}

/** Looks at the ports of the server, and at those that should be closed. */
export function checkPorts({ open, wanted, isRunning }: PortFacts): Finding[] {
  if (open === undefined) {
    return [
      unknown(CHECK, 'Which ports are open cannot be seen on this system.', {
        why: 'Only Linux tells who listens.',
        fix: 'Look with lsof -iTCP -sTCP:LISTEN that 1883, 5683 and 80 are closed.',
      }),
    ];
  }
  const own = isRunning ? wanted.map((port) => checkListens(port, open)) : checkFree(wanted, open);
  return [...own, ...checkPlain(open)];
}

function checkListens({ name, port }: WantedPort, open: readonly OpenPort[]): Finding {
  const found = open.find((one) => one.protocol === 'tcp' && one.port === port);
  if (found === undefined) {
    return bad(CHECK, `Nothing listens on port ${port} (${name}).`, {
      why: 'The server says that it does: it may be in another container or network namespace.',
      fix: 'Run this where the server runs.',
    });
  }
  const reach = found.isLocal ? 'from this machine only' : 'from everywhere';
  return good(CHECK, `${port} (${name}): ${ownerText(found)}, reached ${reach}`);
}

function checkFree(wanted: readonly WantedPort[], open: readonly OpenPort[]): Finding[] {
  const taken = wanted.flatMap(({ name, port }) => {
    const found = open.find((one) => one.protocol === 'tcp' && one.port === port);
    if (found === undefined) return [];
    const option = `--${name}-port`;
    return [
      bad(CHECK, `Port ${port} (${name}) is taken by ${ownerText(found)}.`, {
        why: 'No server runs on this data folder, and one could not start there.',
        fix: `Stop that program, or start with another port: holdfast up ${option} PORT.`,
      }),
    ];
  });
  if (taken.length > 0) return taken;
  const list = wanted.map(({ port }) => port).join(', ');
  return [good(CHECK, `${list} are free for the server`)];
}

function checkPlain(open: readonly OpenPort[]): Finding[] {
  const found = PLAIN_PORTS.flatMap(({ protocol, port, what }) => {
    const one = open.find((row) => row.protocol === protocol && row.port === port);
    if (one === undefined) return [];
    const name = `${protocol === 'udp' ? 'UDP port' : 'Port'} ${port}`;
    return [
      warn(CHECK, `${name} is open: ${what}, by ${ownerText(one)}.`, {
        why: 'It is not Holdfast, which opens no such port; a device that is told this address is read along and can be pretended to be.',
        fix: one.isLocal
          ? 'Stop that program, if nothing on this machine needs it.'
          : 'Stop that program, or close the port in the firewall once no device needs it.',
      }),
    ];
  });
  if (found.length > 0) return found;
  return [good(CHECK, '1883, 5683 and 80, which are not encrypted, are closed')];
}

function ownerText({ process }: OpenPort): string {
  if (process === undefined) return 'a program of another user';
  return `${process.name} (process ${process.pid})`;
}
