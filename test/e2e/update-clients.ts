/** A server of updates, a device's files, and a line between them that can be cut. */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Release, UpdateReport } from '@holdfast/firmware';
import { temporaryFolder } from '@holdfast/testkit';
import {
  type LabDevice,
  type UpdateLab,
  openUpdateLab,
} from '../../packages/server/src/update/delivery/lab.testing.ts';

/** A line to a port of this machine. */
export interface Line {
  readonly port: number;
  /** Cuts the connection once after this many bytes to the client; those after it are whole. */
  cutAfter(bytes: number): void;
  /** How often it was cut. */
  readonly cuts: number;
}

/** A device that is to be updated by a program that we did not write. */
export interface UpdateDevice {
  readonly lab: UpdateLab;
  readonly device: LabDevice;
  readonly folder: string;
  /** Where the program installs to. */
  readonly target: string;
  readonly line: Line;
  /** Files of its identity. */
  readonly files: { readonly ca: string; readonly certificate: string; readonly key: string };
  /** Releases a file and assigns it. */
  release(name: string, bytes: Uint8Array): Promise<Release>;
  /** The states that the device reported, one after the other. */
  states(): string[];
  /** The last reason that it gave. */
  why(): string;
}

/** What a program needs to come as a device. */
export type ClientPlace = Pick<UpdateDevice, 'folder' | 'files'> & {
  readonly device: { readonly id: string };
  readonly line: { readonly port: number };
};

/** Opens the server, and makes the device. */
export async function openUpdateDevice(t: TestContext): Promise<UpdateDevice> {
  const lab = await openUpdateLab(t);
  const folder = temporaryFolder(t);
  const device = lab.addDevice('thermostat-17');
  const target = join(folder, 'target');
  mkdirSync(target);
  const files = {
    ca: join(folder, 'ca.crt'),
    certificate: join(folder, 'client.crt'),
    key: join(folder, 'client.key'),
  };
  writeFileSync(files.ca, lab.anchorPem);
  writeFileSync(files.certificate, device.certificatePem);
  writeFileSync(files.key, device.keyPem, { mode: 0o600 });
  const line = await openLine(t, lab.port);
  // One of no release tells what the device is.
  const reports = (): UpdateReport[] =>
    lab.updates.taken.map(({ report }) => report).filter(({ release }) => release !== '');
  return {
    lab,
    device,
    folder,
    target,
    line,
    files,
    async release(name, bytes) {
      const release = lab.updates.add(bytes, { name, version: '2.0.0' });
      await lab.updates.assign(device.id, release);
      return release;
    },
    states: () => reports().map(({ state }) => state),
    why: () => reports().at(-1)?.why ?? '',
  };
}

async function openLine(t: TestContext, to: number): Promise<Line> {
  const sockets = new Set<Socket>();
  const state = { left: Number.POSITIVE_INFINITY, cuts: 0 };
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    near.on('close', end);
    far.on('close', end);
    near.pipe(far);
    far.pipe(near);
    far.on('data', (bytes: Buffer) => {
      state.left -= bytes.length;
      if (state.left > 0) return;
      state.left = Number.POSITIVE_INFINITY;
      state.cuts += 1;
      end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    cutAfter(bytes) {
      state.left = bytes;
    },
    get cuts() {
      return state.cuts;
    },
  };
}

/** How long a client may take to end by itself, on a machine that is slow and busy. */
const END_MS_MAX = 30_000;

/** Ends a client, and resolves when it has ended. One that hangs in its end is no matter of ours. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => {
    child.once('close', resolve);
  });
  child.kill('SIGTERM');
  const hanging = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX);
  await closed;
  clearTimeout(hanging);
}
