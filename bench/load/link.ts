/** One MQTT connection over mutual TLS 1.3, as lean as Node's own sockets allow. @module */
import { type TLSSocket, connect, createSecureContext } from 'node:tls';
import type { Member } from '../fleet/fleet.ts';
import { FrameScanner, type Level, TYPE, type TakePacket, connectFrame } from './frames.ts';

/** Where a broker is. */
export interface Address {
  readonly port: number;
  readonly anchorPem: string;
}

/** How to connect. */
export interface LinkOptions {
  readonly member: Member;
  readonly address: Address;
  readonly level: Level;
  /** A ticket of an earlier connection, to resume its TLS session. */
  readonly session?: Buffer | undefined;
  /** Takes what comes after CONNACK. */
  readonly take: TakePacket;
  /** Called when everything of one read was taken. */
  readonly afterRead?: (() => void) | undefined;
}

/** TLS 1.3 adds a 5-byte header, a content type and a 16-byte tag to what one record carries. */
export const RECORD_OVERHEAD_BYTES = 22;

/** All connections of a thread read into the same memory: what they get is taken at once. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

/** A connection. */
export class Link {
  readonly socket: TLSSocket;
  /** Resolves at CONNACK. */
  readonly opened: Promise<void>;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  /** Why it ended, when nobody wanted it to. */
  problem: string | undefined;
  /** The newest session ticket. */
  ticket: Buffer | undefined;
  isOpen = false;
  /** Whether no record waits: Node would join the next one to it. */
  isIdle = true;
  #isWanted = true;

  constructor(options: LinkOptions) {
    const { member, address, level, take } = options;
    let markOpen = (): void => {};
    let fail: (error: Error) => void = () => {};
    this.opened = new Promise((resolve, reject) => {
      markOpen = resolve;
      fail = reject;
    });
    const scanner = new FrameScanner((first, bytes, start, end) => {
      if (first >> 4 === TYPE.disconnect) {
        this.problem ??= `${member.id}: DISCONNECT 0x${(bytes[start] ?? 0).toString(16)}`;
      }
      if (this.isOpen) return take(first, bytes, start, end);
      if (first >> 4 !== TYPE.connack || bytes[start + 1] !== 0) {
        return fail(
          new Error(`${member.id}: CONNACK ${bytes.subarray(start, end).toString('hex')}`),
        );
      }
      this.isOpen = true;
      return markOpen();
    });
    const read = (count: number): boolean => {
      scanner.push(readBuffer.subarray(0, count));
      options.afterRead?.();
      return true;
    };
    this.socket = connect({
      host: '127.0.0.1',
      port: address.port,
      servername: 'localhost',
      secureContext: contextOf(member, address),
      ...(options.session !== undefined && { session: options.session }),
      ...readingInto(readBuffer, read),
    });
    this.socket.setNoDelay(true);
    this.socket.on('session', (ticket: Buffer) => (this.ticket = ticket));
    this.socket.on('error', (error) => (this.problem ??= String(error)));
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.isOpen = false;
        if (this.#isWanted) this.problem ??= `${member.id} was disconnected`;
        fail(new Error(this.problem ?? 'closed'));
        resolve();
      });
    });
    this.opened.catch(() => {});
    this.socket.once('secureConnect', () => this.socket.write(connectFrame(member.id, level)));
  }

  /** Writes a frame while {@link Link.isIdle}, so that it is a TLS record of its own. */
  writeRecord(frame: Uint8Array): void {
    this.isIdle = false;
    this.socket.write(frame, this.#markIdle);
  }

  /** Writes at once or joined to what waits. */
  write(frame: Uint8Array): void {
    this.socket.write(frame);
  }

  readonly #markIdle = (): void => {
    this.isIdle = true;
  };

  /** Bytes of TLS records written so far; undefined when this Node does not tell. */
  get recordBytes(): number | undefined {
    const { _handle: handle } = this.socket as unknown as {
      _handle?: { _parent?: { bytesWritten?: number } } | null;
    };
    return handle?._parent?.bytesWritten;
  }

  /** Ends the connection; resolves when it is gone. */
  end(last?: Uint8Array): Promise<void> {
    this.#isWanted = false;
    if (last === undefined) this.socket.destroy();
    else this.socket.end(last);
    return this.closed;
  }
}

/** Opens many links, a bounded number of handshakes at a time. */
export async function openAll(
  makers: readonly (() => Link)[],
  concurrency: number,
): Promise<Link[]> {
  const links: Link[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next; at < makers.length; at = next) {
      next += 1;
      const link = makers[at]?.();
      if (link === undefined) return;
      links[at] = link;
      await link.opened;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return links;
}

/** The types of Node know `onread` for plain sockets only; TLS sockets have it all the same. */
function readingInto(buffer: Buffer, callback: (count: number) => boolean): object {
  return { onread: { buffer, callback } };
}

function contextOf(
  { certificatePem, keyPem }: Member,
  { anchorPem }: Address,
): ReturnType<typeof createSecureContext> {
  return createSecureContext({
    ca: anchorPem,
    cert: certificatePem,
    key: keyPem,
    minVersion: 'TLSv1.3',
  });
}
