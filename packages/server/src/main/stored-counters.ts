/** Where the replay window of a device goes on after a restart. @module */
import {
  Refusal,
  isSignedByProperties,
  parseSignedJson,
  parseSignedProperties,
} from '@holdfast/protocol';
import { decodeForwarded } from '@holdfast/protocol/mqtt';
import { type Journal, type JournaledEntry, readNewest } from '../journal/index.ts';
import type { Keyring } from '../persistence/index.ts';
import { type Device, type DeviceRegistry, contentKeyRefsOf } from '../registry/index.ts';
import { type KnownCounters, NO_COUNTERS } from '../verify/index.ts';

/**
 * Entries that are looked at: more than a client has on its way at a time. After a crash it may
 * send these again in another order, and what never arrived must not pass for a replay.
 */
const PAGE_ENTRIES = 128;

/** The same when they all came with one commit, as of a device that sends very much. */
const ENTRIES_MAX = 1_024;

/**
 * The counters that the log has of a device under the payload keys `kid`: exactly those of its last
 * messages, and for what is older only how far it went.
 */
export async function storedCounters(
  deps: { journal: Pick<Journal, 'read'>; registry: DeviceRegistry; keyring: Keyring },
  deviceId: string,
  kid: string,
): Promise<KnownCounters> {
  const device = deps.registry.byId(deviceId);
  if (device === undefined) return NO_COUNTERS;
  const keys = contentKeyRefsOf(device)
    .toReversed()
    .map((ref) => deps.keyring.byRef(ref));
  const own: JournaledEntry[] = [];
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const page = await readNewest(deps.journal, keys, { before, limit: PAGE_ENTRIES });
    // Commands to the device are in the same part of the log.
    own.push(...page.filter(({ entry }) => entry.principal === deviceId));
    const isWhole = page.length < PAGE_ENTRIES;
    const counters = countersOf(own, { kid, isWhole });
    const isUseful = own.length > 0 && counters.unknownUpTo < counters.highest;
    if (isWhole || isUseful || own.length >= ENTRIES_MAX) return withErased(counters, device);
    before = page.at(-1)?.index ?? 0;
  }
}

/** What an erasure has left: of the counters before it, that they were seen. */
function withErased(counters: KnownCounters, device: Device): KnownCounters {
  const { seenCounters, payloadKeyGeneration } = device;
  if (seenCounters?.generation !== payloadKeyGeneration) return counters;
  const { upTo } = seenCounters;
  return {
    highest: Math.max(counters.highest, upTo),
    unknownUpTo: Math.max(counters.unknownUpTo, upTo),
    seen: counters.seen,
  };
}

/** @param entries - Messages of one device, the newest first. */
function countersOf(
  entries: readonly JournaledEntry[],
  { kid, isWhole }: { kid: string; isWhole: boolean },
): KnownCounters {
  const current = entries.filter(({ entry }) => entry.kid === kid);
  const [newest] = current;
  if (newest === undefined || entries[0] !== newest) return NO_COUNTERS;
  const seen = current.map(counterOf).filter((counter) => counter !== undefined);
  const isAllKnown = isWhole || current.length < entries.length;
  // The batch of the oldest entry may hold more of the device, and what is before it is not known.
  const unknownUpTo = isAllKnown ? -1 : (current.at(-1)?.counterMax ?? newest.counterMax);
  return { highest: newest.counterMax, unknownUpTo, seen };
}

function counterOf({ entry: { body, properties } }: JournaledEntry): number | undefined {
  const forwarded = decodeForwarded(properties);
  if (forwarded instanceof Refusal) return undefined;
  const stamp = isSignedByProperties(forwarded)
    ? parseSignedProperties(forwarded)
    : parseSignedJson(body);
  return stamp instanceof Refusal ? undefined : stamp.counter;
}
