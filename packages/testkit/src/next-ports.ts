/** Ports for servers that a test stops and starts again. @module */
import { mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';
import { DatabaseSync } from 'node:sqlite';

/**
 * Systems give ports from 32,768 on to whoever asks for any: there, somebody else could get the port
 * of a server between its end and its next start. Below, each process of tests has a part for itself.
 */
const FIRST = 12_000;
const PARTS = 400;
const PART_PORTS = 50;
const PORTS_OF_SERVER = 3;

let servers = 0;
let part: { readonly number: number; readonly lock: DatabaseSync } | undefined;

/**
 * Of processes that run at the same time, no two get the same part: the lock is one of the operating
 * system on an empty SQLite file, and ends with its process, however that ends.
 */
function takePart(): NonNullable<typeof part> {
  const folder = join(tmpdir(), `holdfast-test-ports-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true });
  for (let tried = 0; tried < PARTS; tried += 1) {
    const number = (pid + tried) % PARTS;
    const lock = new DatabaseSync(join(folder, String(number)));
    try {
      lock.exec('BEGIN EXCLUSIVE');
      return { number, lock };
    } catch (error) {
      lock.close();
      if (!/locked|busy/iu.test(String(error))) throw error;
    }
  }
  throw new Error('each part of the ports is in use by another process of tests');
}

/** Ports that no other test takes; another program may have one of them all the same. */
export function nextPorts(): { broker: number; api: number; enroll: number } {
  const slot = servers % Math.floor(PART_PORTS / PORTS_OF_SERVER);
  servers += 1;
  part ??= takePart();
  const broker = FIRST + part.number * PART_PORTS + slot * PORTS_OF_SERVER;
  return { broker, api: broker + 1, enroll: broker + 2 };
}

/** Starts a server on such ports, and on others when a program has one of them. */
export async function onFreePorts<T>(
  start: (ports: ReturnType<typeof nextPorts>) => Promise<T>,
): Promise<T> {
  for (let left = 10; ; left -= 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other.
      return await start(nextPorts());
    } catch (error) {
      if (left === 0 || !String(error).includes('is in use by another program')) throw error;
    }
  }
}
