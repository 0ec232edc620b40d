/** Hands the messages of one request on, and waits until each is durable or refused. @module */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessageProperties } from '@holdfast/protocol/mqtt';
import type { Clock } from '../kernel/index.ts';
import type { SessionHandler } from '../session/index.ts';
import type { Outcome } from './answers.ts';
import { MESSAGES_PER_TURN, STORE_TIMEOUT_MS } from './limits.ts';

/** The messages of one request. */
export interface Messages {
  readonly topic: string;
  readonly payloads: readonly Uint8Array[];
  readonly properties: MessageProperties;
  readonly clock: Clock;
}

/** @returns what became of them; undefined when the disk did not tell in time. */
export async function publishAll(
  handler: Pick<SessionHandler, 'publish'>,
  { topic, payloads, properties, clock }: Messages,
): Promise<Outcome | undefined> {
  const { promise, resolve } = Promise.withResolvers<Outcome | undefined>();
  const refused: number[] = [];
  let open = payloads.length;
  const cancel = clock.after(STORE_TIMEOUT_MS, () => resolve(undefined));
  for (const [i, payload] of payloads.entries()) {
    if (i > 0 && i % MESSAGES_PER_TURN === 0) await nextTurn();
    const publish = { topic, payload, properties, qos: 1, retain: false } as const;
    handler.publish(publish, (_hasSubscribers, refusal) => {
      // It is to come again, so the answer must not call it refused.
      if (refusal?.code === 'E_JOURNAL_DISK_FULL') return resolve(undefined);
      if (refusal !== undefined) refused.push(i + 1);
      open -= 1;
      if (open > 0) return;
      refused.sort((a, b) => a - b);
      resolve({ accepted: payloads.length - refused.length, refused });
    });
  }
  try {
    return await promise;
  } finally {
    cancel();
  }
}
