/** A client that sends and expects bytes. @module */
import { once } from 'node:events';
import { type TLSSocket, connect } from 'node:tls';
import type { TestCertificates } from './certificates.ts';
import { variableBytes } from './sequence.ts';

/** One connection. */
export class ByteClient {
  readonly #socket: TLSSocket;
  #received: Buffer = Buffer.alloc(0);
  #isEnded = false;
  #wake: () => void = () => {};

  readonly #waitMs: number;

  private constructor(socket: TLSSocket, waitMs: number) {
    this.#socket = socket;
    this.#waitMs = waitMs;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const end = (): void => {
      this.#isEnded = true;
      this.#wake();
    };
    socket.on('end', end);
    socket.on('close', end);
  }

  /** @param waitMs - How long bytes or the end of the stream are waited for. */
  static async open(
    port: number,
    { ca, client }: TestCertificates,
    waitMs: number,
  ): Promise<ByteClient> {
    const socket = connect({ host: 'localhost', port, ca, ...client, minVersion: 'TLSv1.3' });
    await once(socket, 'secureConnect');
    return new ByteClient(socket, waitMs);
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** Up to `count` bytes: fewer when the stream ends or nothing comes in time. */
  async receive(count: number): Promise<Buffer> {
    const deadline = performance.now() + this.#waitMs;
    while (this.#received.length < count && !this.#isEnded) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) break;
      await this.#change(leftMs);
    }
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  /** Whether the stream ends in time, without another byte. */
  async ends(): Promise<true | string> {
    const extra = await this.receive(1);
    if (extra.length > 0) {
      return `${Buffer.concat([extra, this.#received]).toString('hex')} instead of the end`;
    }
    return this.#isEnded || 'it was not closed';
  }

  /** Breaks off. */
  destroy(): void {
    this.#socket.destroy();
  }

  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** CONNECT with a clean start and 60 s of keep-alive. */
export function connectBytes(clientId: string, level: 3 | 4 | 5): Buffer {
  const name = level === 3 ? 'MQIsdp' : 'MQTT';
  const id = Buffer.from(clientId, 'utf8');
  const body = Buffer.concat([
    Buffer.of(0, name.length),
    Buffer.from(name),
    Buffer.of(level, 0x02, 0, 60),
    Buffer.alloc(level === 5 ? 1 : 0),
    Buffer.of(id.length >> 8, id.length & 0xff),
    id,
  ]);
  return Buffer.concat([Buffer.of(0x10, ...variableBytes(body.length)), body]);
}
