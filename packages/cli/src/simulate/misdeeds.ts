/** What misbehaving devices do. Each of it is what somebody could do who has taken one over. @module */
import { createHmac } from 'node:crypto';
import type { Bundle } from '@holdfast/device';
import { prepareSignedJson } from '@holdfast/protocol';
import { BareLink } from './bare-link.ts';
import { FLOOD_WINDOW } from './limits.ts';
import type { Misdeed } from './plan.ts';

/** How each misdeed is told. */
export const MISDEED_TEXTS: Readonly<Record<Misdeed, string>> = {
  tamper: 'alters payloads after they are signed',
  replay: 'sends old messages again',
  spoof: 'publishes as another device',
  flood: 'sends more than it may',
};

/** What a misdeed is done with. */
export interface MisdeedDeps {
  readonly bundle: Bundle;
  /** Another simulated device, never a real one. */
  readonly victim: string;
  /** A reading that the device would send now. */
  readonly measure: () => Readonly<Record<string, number>>;
  readonly nowMs: () => number;
  /** Ends a flood. */
  readonly signal: AbortSignal;
}

/**
 * Connects by the certificate of the device, and misbehaves. The server takes over its connection,
 * so the device must not be connected by the SDK meanwhile.
 */
export async function misbehave(misdeed: Misdeed, deps: MisdeedDeps): Promise<void> {
  const link = await BareLink.open(deps.bundle);
  try {
    await ACTS[misdeed](link, deps);
  } finally {
    await link.close();
  }
}

/** A payload as the SDK signs it. */
export function signedReading(
  { payloadKey }: Pick<Bundle, 'payloadKey'>,
  members: Readonly<Record<string, number>>,
): Buffer {
  const { signedBytes, finish } = prepareSignedJson(members);
  return Buffer.from(finish(createHmac('sha256', payloadKey).update(signedBytes).digest('hex')));
}

/** The payload with one digit changed, and the signature that it had before. */
export function tampered(payload: Uint8Array): Buffer {
  const text = Buffer.from(payload).toString('utf8');
  return Buffer.from(text.replace(/: ([1-9])/u, (_, digit) => `: ${(Number(digit) % 9) + 1}`));
}

const ACTS: Readonly<Record<Misdeed, (link: BareLink, deps: MisdeedDeps) => Promise<void>>> = {
  async tamper(link, deps) {
    await link.publish(topicOf(deps.bundle.device), tampered(payloadOf(deps, deps.nowMs())));
  },
  async replay(link, deps) {
    const payload = payloadOf(deps, deps.nowMs());
    const topic = topicOf(deps.bundle.device);
    await link.publish(topic, payload);
    await link.publish(topic, payload);
  },
  async spoof(link, deps) {
    await link.publish(topicOf(deps.victim), payloadOf(deps, deps.nowMs()));
  },
  async flood(link, deps) {
    const topic = topicOf(deps.bundle.device);
    let counter = deps.nowMs();
    const pour = async (): Promise<void> => {
      while (link.isOpen && !deps.signal.aborted) {
        counter += 1;
        await link.publish(topic, payloadOf(deps, counter));
      }
    };
    // That the server hangs up at some time is what this is for.
    await Promise.allSettled(Array.from({ length: FLOOD_WINDOW }, pour));
  },
};

/** The time is a counter above all that the SDK has used: it never counts faster than a clock. */
function payloadOf({ bundle, measure, nowMs }: MisdeedDeps, ctr: number): Buffer {
  return signedReading(bundle, { ...measure(), ctr, ts: nowMs() });
}

function topicOf(device: string): string {
  return `d/${device}/telemetry`;
}
