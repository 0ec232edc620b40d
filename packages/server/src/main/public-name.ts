/** The certificate for the public name, where one is wanted. @module */
import { PublicCertificate } from '../acme/index.ts';
import type { Context } from './context.ts';
import type { Metrics } from './metrics.ts';
import type { Audit, Storage } from './storage.ts';

/** Opens it; undefined when the options name no ACME authority. */
export async function openPublicName(
  { options, clock, random, log, onUndo }: Context,
  {
    store,
    recordAct,
    metrics,
  }: Pick<Storage, 'store'> & Pick<Audit, 'recordAct'> & { readonly metrics: Metrics },
): Promise<PublicCertificate | undefined> {
  if (options.acme === undefined) return undefined;
  const count = metrics.countOrder;
  const deps = { clock, random, log, recordAct, count };
  const publicName = await PublicCertificate.open(store, options.acme, deps);
  metrics.watchPublicName(() => publicName.endsAtMs);
  onUndo(() => publicName.stop());
  return publicName;
}
