/** A server, an authority of the attacker, and devices in every state. @module */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Bundle } from '@holdfast/device';
import { type InProcessServer, startInProcess, temporaryFolder } from '@holdfast/testkit';
import { type Door, type Place, doorsOf, enrollRequest, exchange } from './doors.ts';
import { type Credential, Forge } from './forge.ts';
import { Matrix, MatrixClock } from './matrix.ts';
import { type StolenKeys, stealKeys } from './stolen-keys.ts';

/** An enrolled device, and the tickets that it got while all was well. */
export interface Enrolled {
  readonly id: string;
  readonly bundle: Bundle;
  readonly credential: Credential;
  readonly tickets: Readonly<Record<Door['port'], Buffer>>;
}

export class Lab {
  readonly clock: MatrixClock;
  readonly server: InProcessServer;
  readonly forge: Forge;
  readonly stolen: StolenKeys;
  readonly place: Place;
  readonly matrix: Matrix;
  readonly doors: readonly Door[];

  private constructor(parts: Pick<Lab, 'clock' | 'server' | 'forge' | 'stolen' | 'place'>) {
    const { clock, server, forge, stolen, place } = parts;
    this.clock = clock;
    this.server = server;
    this.forge = forge;
    this.stolen = stolen;
    this.place = place;
    this.matrix = new Matrix(server, clock);
    this.doors = doorsOf(forge.path('x.csr'));
  }

  static async open(t: TestContext): Promise<Lab> {
    const clock = new MatrixClock();
    const first = await startInProcess(t, { clock });
    await first.stop();
    const stolen = await stealKeys(first.dataDir);
    const server = await first.restart({ clock });
    const place = { ports: server.ports, anchorPem: stolen.root.cert };
    return new Lab({ clock, server, stolen, place, forge: new Forge(temporaryFolder(t)) });
  }

  /** Enrolls a device, and lets it get a ticket at each port. */
  async enroll(id: string): Promise<Enrolled> {
    const bundle = await this.clock.during(() => this.server.enroll(id));
    const read = (name: string): string => readFileSync(join(bundle.folder, name), 'utf8');
    const credential = { cert: read('client.crt'), key: read('client.key') };
    const ticketAt = (name: string): Promise<Buffer> => this.#ticket(name, { id, credential });
    const tickets = {
      broker: await ticketAt('broker'),
      api: await ticketAt('WSS'),
      enroll: await ticketAt('pins'),
    };
    return { id, bundle, credential, tickets };
  }

  door(name: string): Door {
    const found = this.doors.find((door) => door.name === name);
    if (found === undefined) throw new Error(`no door ${name}`);
    return found;
  }

  /** Posts to simpleenroll. */
  enrollBy(csr: string, options: { authorization?: string | undefined; address: string }) {
    const { authorization, address: localAddress } = options;
    const bytes = enrollRequest(csr, authorization);
    return exchange(this.place, { port: 'enroll', bytes, localAddress });
  }

  async #ticket(
    name: string,
    { id, credential }: { id: string; credential: Credential },
  ): Promise<Buffer> {
    const { port, bytes } = this.door(name);
    const what = { port, bytes: bytes(id), until: 'answer', ...credential } as const;
    const { seen, ticket } = await this.clock.during(() => exchange(this.place, what));
    const isIn = seen === CONNACK || /^HTTP\/1\.1 (101|200)/u.test(seen);
    if (!isIn || ticket === undefined) throw new Error(`${id} is not let in: ${seen}`);
    return ticket;
  }
}

/** An accepted connection, MQTT 3.1.1. */
const CONNACK = '\u0020\u0002\0\0';

/** The header of RFC 7617. */
export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`, 'utf8').toString('base64')}`;
}
