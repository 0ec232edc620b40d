/** The buckets of a running server, joined to its storage. @module */
import { Buckets } from '../buckets/index.ts';
import type { Context } from './context.ts';
import type { Audit, Storage } from './storage.ts';

/** Opens them; they are not judged by themselves before `start`. */
export function openBuckets(
  { options, clock, random, log, onUndo }: Context,
  { store, recordEvent }: Pick<Storage, 'store'> & Pick<Audit, 'recordEvent'>,
): Buckets {
  const buckets = new Buckets({
    clock,
    random,
    log,
    store,
    s3: options.s3,
    onChange: async ({ name }, risks) => {
      const facts = { bucket: name, risks };
      if (risks.length > 0) {
        const event = { 'event.action': 'bucket.judged', 'event.outcome': 'failure' };
        log.warn({ ...event, ...facts }, 'a bucket is not as it should be');
      }
      await recordEvent({ name: 'bucket.judged', facts });
    },
  });
  onUndo(() => buckets.stop());
  return buckets;
}
